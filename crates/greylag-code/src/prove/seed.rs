//! Columns of seeds: the first line of a file of values names them, the others tell their types.

use super::relations::Columns;
use greylag_model::types::DataType;

/// Lines that are looked at.
const LINES: usize = 200;

/// Names and types of the columns of a seed.
pub(super) fn columns(text: &str) -> Columns {
    let mut lines = text.trim_start_matches('\u{feff}').lines();
    let Some(header) = lines.next() else { return Vec::new() };
    let rows: Vec<Vec<String>> = lines.take(LINES).filter(|line| !line.trim().is_empty()).map(fields).collect();
    let type_of = |at: usize| {
        let mut values = rows.iter().filter_map(|row| row.get(at)).filter(|value| !value.is_empty()).peekable();
        values.peek()?;
        let values: Vec<&String> = values.collect();
        let all = |fits: &dyn Fn(&str) -> bool| values.iter().all(|value| fits(value));
        Some(if all(&|value| value.parse::<i64>().is_ok()) {
            DataType::Int64
        } else if all(&|value| value.parse::<f64>().is_ok()) {
            DataType::Float64
        } else if all(&|value| matches!(value.to_lowercase().as_str(), "true" | "false")) {
            DataType::Boolean
        } else if all(&is_day) {
            DataType::Date
        } else {
            DataType::String
        })
    };
    fields(header).into_iter().enumerate().map(|(at, name)| (name, type_of(at))).collect()
}

fn is_day(value: &str) -> bool {
    let parts: Vec<&str> = value.split('-').collect();
    value.len() == 10 && parts.len() == 3 && parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The fields of a line, with quotes around some of them.
fn fields(line: &str) -> Vec<String> {
    let (mut all, mut field, mut quoted) = (Vec::new(), String::new(), false);
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                field.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => all.push(std::mem::take(&mut field)),
            _ => field.push(letter),
        }
    }
    all.push(field);
    all.into_iter().map(|field| field.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::columns;

    #[test]
    fn a_seed_tells_its_types() {
        let found = columns("id,\"a, b\",day,rate,empty\n1,x,2024-01-02,0.5,\n2,\"y\"\"z\",2024-01-03,3,\n");
        let found: Vec<String> = found
            .iter()
            .map(|(name, data_type)| {
                format!("{name}: {}", data_type.as_ref().map_or_else(|| "?".to_owned(), ToString::to_string))
            })
            .collect();
        assert_eq!(found.join("; "), "id: int64; a, b: string; day: date; rate: float64; empty: ?");
    }
}
