use super::answer;
use greylag_driver::error::DriverError;
use greylag_driver::proof::{Prover, conformance};
use greylag_model::proof::{ProofRequest, ProofVerdict};

/// In this process: readers are tried by the binary's tests.
struct Here;

impl Prover for Here {
    fn width(&self) -> usize {
        1
    }

    fn prove(&self, request: &ProofRequest, _: &dyn Fn() -> bool) -> Result<ProofVerdict, DriverError> {
        answer(request)
    }
}

#[test]
fn it_does_what_every_prover_must() {
    conformance::conformance(&Here);
}
