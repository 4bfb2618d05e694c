//! The JSON schema of scenario files, for editors and for other tools that write them.

use schemars::Schema;
use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use serde_json::Value;

use super::wire::File;

/// The schema, draft 2020-12. It knows the whole grammar, also what is not built yet; what only the checked reading can
/// tell (names that dangle, combinations that cannot be) it does not know.
pub fn schema() -> Value {
    let mut schema = SchemaSettings::draft2020_12().for_deserialize().into_generator().into_root_schema_for::<File>();
    RecursiveTransform(without_null).transform(&mut schema);
    schema.to_value()
}

/// TOML has no null: what may be left out is left out.
fn without_null(schema: &mut Schema) {
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|word| word != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            schema.insert("type".to_owned(), only);
        }
    }
    let Some(Value::Array(choices)) = schema.get_mut("anyOf") else { return };
    choices.retain(|choice| choice.get("type").is_none_or(|word| word != "null"));
    if let [Value::Object(only)] = choices.as_slice() {
        let only = only.clone();
        schema.remove("anyOf");
        schema.ensure_object().extend(only);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_may_be_null() {
        assert!(!schema().to_string().contains("\"null\""));
    }

    #[test]
    fn the_committed_schema_is_this_one() {
        let committed: Value = serde_json::from_str(include_str!("../../docs/schema/scenario.json")).unwrap();
        assert_eq!(committed, schema(), "run `dindbench schema > docs/schema/scenario.json`");
    }
}
