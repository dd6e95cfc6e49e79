//! Names of domains, systems, teams, people, datasets and columns: plain ones, and odd but legal ones.

use crate::draws::Draws;
use std::collections::BTreeSet;

pub(crate) const DOMAINS: &[&str] =
    &["commerce", "content", "finance", "growth", "logistics", "people", "platform", "risk", "media", "support"];
pub(crate) const SUBJECTS: &[&str] = &[
    "accounts",
    "adverts",
    "albums",
    "audits",
    "balances",
    "baskets",
    "bookings",
    "campaigns",
    "charges",
    "clicks",
    "contracts",
    "coupons",
    "couriers",
    "customers",
    "deliveries",
    "devices",
    "disputes",
    "events",
    "exports",
    "fees",
    "fraud",
    "invoices",
    "items",
    "journeys",
    "labels",
    "ledgers",
    "licences",
    "listens",
    "loans",
    "messages",
    "offers",
    "orders",
    "parcels",
    "payments",
    "payouts",
    "plays",
    "prices",
    "profiles",
    "quotas",
    "ratings",
    "refunds",
    "regions",
    "reports",
    "returns",
    "reviews",
    "royalties",
    "searches",
    "sessions",
    "shipments",
    "skips",
    "stock",
    "streams",
    "surveys",
    "taxes",
    "tickets",
    "tracks",
    "transfers",
    "users",
    "visits",
    "vouchers",
];
pub(crate) const QUALIFIERS: &[&str] = &[
    "daily",
    "hourly",
    "raw",
    "clean",
    "monthly",
    "open",
    "closed",
    "current",
    "archived",
    "external",
    "internal",
    "mobile",
    "web",
    "legacy",
    "late",
    "first",
    "last",
    "top",
    "rolled_up",
    "sampled",
];
pub(crate) const PEOPLE: &[&str] = &[
    "amara", "bjorn", "chiara", "dilip", "elif", "farid", "greta", "hiro", "ines", "jonas", "keiko", "lars", "mina",
    "nils", "olga", "priya", "quentin", "rosa", "sven", "tomas", "uma", "vera", "wanda", "ximena", "yusuf", "zoe",
];
const COLUMN_WORDS: &[&str] = &[
    "account", "age", "amount", "balance", "batch", "channel", "city", "code", "count", "country", "created",
    "currency", "device", "discount", "duration", "email", "fee", "flag", "grade", "height", "hits", "index", "kind",
    "label", "language", "length", "level", "limit", "locale", "margin", "name", "note", "number", "origin", "owner",
    "phase", "phone", "plan", "position", "price", "quantity", "rank", "rate", "ratio", "reason", "region", "score",
    "segment", "share", "size", "source", "state", "status", "street", "tag", "tax", "tier", "title", "token", "total",
    "updated", "user", "value", "version", "volume", "weight", "width", "year", "zip", "zone",
];
/// Legal names of columns that break careless code. Each is used as it stands.
pub(crate) const ODD_COLUMNS: &[&str] = &[
    "select",
    "from",
    "order",
    "group by",
    "user id",
    "Größe",
    "金額",
    "naïve café",
    "it's",
    "say \"hi\"",
    "back\\slash",
    "new\nline",
    "tab\there",
    "a,b;c|d",
    "x; DROP TABLE users; --",
    "1st",
    "100%",
    "a.b.c",
    "key=value",
    "{braces}",
    "[0]",
    "$1",
    "`tick`",
    "🪿",
    "e\u{301}clair",
    "--",
    "/* note */",
    "null",
    "true",
    " leading",
    "trailing ",
    "?",
    ":name",
    "@at",
    "#hash",
    "<b>bold</b>",
    "path/to",
    "..",
    "MixedCase",
    "ÜBER",
    "שלום",
    "_",
    "%41",
    "${env}",
];
/// Legal names of files and directories that break careless code.
pub(crate) const ODD_PLACES: &[&str] = &[
    "it's here",
    "with space",
    "Umsätze 2019 (alt)",
    "顧客",
    "say \"hi\"",
    "100%25 done",
    "select",
    "a,b;c",
    "semi;colon",
    "dollar$HOME",
    "star*?",
    "[brackets]",
    "back\\slash",
    "tick`",
    "🪿 geese",
    "plus+plus",
    "trailing.",
    "-dash",
    "#hash",
    "e\u{301}clair",
];

/// Gives names of columns that are unique in one dataset, without regard to case: SQL engines would mix them up.
#[derive(Default)]
pub(crate) struct ColumnNames {
    taken: BTreeSet<String>,
    /// Odd names given out.
    pub(crate) odd: Vec<String>,
}

impl ColumnNames {
    /// A new name; odd in `odd_percent` of a hundred cases.
    pub(crate) fn next(&mut self, draws: &mut Draws, odd_percent: usize) -> String {
        if draws.chance(odd_percent) {
            let odd = draws.pick(ODD_COLUMNS);
            if self.take(odd) {
                self.odd.push(odd.to_owned());
                return odd.to_owned();
            }
        }
        for _ in 0..20 {
            let name = format!("{}_{}", draws.pick(COLUMN_WORDS), draws.pick(COLUMN_WORDS));
            if self.take(&name) {
                return name;
            }
        }
        let mut number = self.taken.len();
        loop {
            let name = format!("{}_{number}", draws.pick(COLUMN_WORDS));
            if self.take(&name) {
                return name;
            }
            number += 1;
        }
    }

    /// This very name, if nobody has it.
    pub(crate) fn take(&mut self, name: &str) -> bool {
        self.taken.insert(name.to_lowercase())
    }
}
