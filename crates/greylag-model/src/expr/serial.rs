//! Serialising a typed expression as a flat list of nodes, children before parents, the root last.

use super::{Function, Literal, Node, TypedExpr};
use crate::spec::Loss;
use crate::types::DataType;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Serialize, Deserialize)]
struct Flat {
    #[serde(rename = "type")]
    data_type: DataType,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    nullable: bool,
    #[serde(flatten)]
    node: FlatNode,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum FlatNode {
    Column(String),
    Literal(Literal),
    Call(FlatCall),
    Cast(FlatCast),
    Case(FlatCase),
}

#[derive(Serialize, Deserialize)]
struct FlatCall {
    function: Function,
    args: Vec<usize>,
}

#[derive(Serialize, Deserialize)]
struct FlatCast {
    input: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    loss: Option<Loss>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    safe: bool,
}

#[derive(Serialize, Deserialize)]
struct FlatCase {
    branches: Vec<(usize, usize)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    otherwise: Option<usize>,
}

fn flatten(expr: &TypedExpr, nodes: &mut Vec<Flat>) -> usize {
    let node = match &expr.node {
        Node::Column(name) => FlatNode::Column(name.clone()),
        Node::Literal(literal) => FlatNode::Literal(literal.clone()),
        Node::Call { function, args } => {
            let args = args.iter().map(|arg| flatten(arg, nodes)).collect();
            FlatNode::Call(FlatCall { function: *function, args })
        }
        Node::Cast { input, loss, safe } => {
            FlatNode::Cast(FlatCast { input: flatten(input, nodes), loss: *loss, safe: *safe })
        }
        Node::Case { branches, otherwise } => {
            let branches = branches.iter().map(|(when, then)| (flatten(when, nodes), flatten(then, nodes))).collect();
            FlatNode::Case(FlatCase { branches, otherwise: otherwise.as_deref().map(|other| flatten(other, nodes)) })
        }
    };
    nodes.push(Flat { data_type: expr.data_type.clone(), nullable: expr.nullable, node });
    nodes.len() - 1
}

impl Serialize for TypedExpr {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut nodes = Vec::new();
        flatten(self, &mut nodes);
        nodes.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for TypedExpr {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let nodes = Vec::<Flat>::deserialize(deserializer)?;
        // Each node is used once, by a later one; taking it out makes sharing and cycles impossible.
        let mut built: Vec<Option<TypedExpr>> = Vec::with_capacity(nodes.len());
        for flat in nodes {
            let mut take = |index: usize| {
                built.get_mut(index).and_then(Option::take).ok_or_else(|| D::Error::custom("a node refers to none"))
            };
            let node = match flat.node {
                FlatNode::Column(name) => Node::Column(name),
                FlatNode::Literal(literal) => Node::Literal(literal),
                FlatNode::Call(FlatCall { function, args }) => {
                    Node::Call { function, args: args.into_iter().map(take).collect::<Result<_, _>>()? }
                }
                FlatNode::Cast(FlatCast { input, loss, safe }) => {
                    Node::Cast { input: Box::new(take(input)?), loss, safe }
                }
                FlatNode::Case(FlatCase { branches, otherwise }) => {
                    let branches = branches
                        .into_iter()
                        .map(|(when, then)| Ok((take(when)?, take(then)?)))
                        .collect::<Result<_, D::Error>>()?;
                    Node::Case { branches, otherwise: otherwise.map(take).transpose()?.map(Box::new) }
                }
            };
            built.push(Some(TypedExpr { data_type: flat.data_type, nullable: flat.nullable, node }));
        }
        built.pop().flatten().ok_or_else(|| D::Error::custom("an expression has at least one node"))
    }
}
