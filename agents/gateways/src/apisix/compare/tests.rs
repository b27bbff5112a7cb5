use super::*;
use crate::apisix::Besides;
use crate::apisix::objects::objects;
use crate::apisix::state::tests::wanted;
use proptest::prelude::*;
use serde_json::json;

fn stored(objects: &[Object]) -> Vec<Stored> {
    let one = |object: &Object| {
        let mut value = object.value.clone();
        value["create_time"] = json!(1);
        value["update_time"] = json!(2);
        if object.kind == Kind::Route {
            value["plugins"]["key-auth"]["query"] = json!("apikey");
        }
        Stored {
            kind: object.kind,
            id: object.id.clone(),
            value,
        }
    };
    objects.iter().map(one).collect()
}

#[test]
fn what_is_as_wanted_is_left_alone() {
    let objects = objects(&wanted(), &Besides::default());
    let plan = plan(&objects, &stored(&objects), &Images::new());
    assert!(plan.drift.is_none() && plan.put.is_empty() && plan.delete.is_empty());
}

#[test]
fn what_differs_is_written_again_and_what_is_too_much_goes() {
    let wanted = objects(&wanted(), &Besides::default());
    let mut there = stored(&wanted);
    there.retain(|one| one.id != "portcullis-sky");
    for one in &mut there {
        if one.id == "portcullis-chat" {
            one.value["status"] = json!(0);
        }
        if one.id == "portcullis-far" {
            one.value["plugins"]["key-auth"]["anonymous_consumer"] = json!("guest");
        }
    }
    let old = |id: &str, labels: Value| Stored {
        kind: Kind::Route,
        id: id.to_owned(),
        value: json!({ "id": id, "labels": labels }),
    };
    there.push(old("portcullis-old", json!({ "managed-by": "portcullis" })));
    // Of these, one is not ours by its mark, and one not by its name.
    there.push(old("portcullis-theirs", json!({})));
    there.push(old("theirs", json!({ "managed-by": "portcullis" })));
    let plan = plan(&wanted, &there, &Images::new());
    assert_eq!(plan.drift.missing, ["upstream portcullis-sky"]);
    assert_eq!(
        plan.drift.changed,
        ["route portcullis-chat", "route portcullis-far"]
    );
    assert_eq!(plan.drift.surplus, ["route portcullis-old"]);
    assert_eq!(plan.delete, [(Kind::Route, "portcullis-old".to_owned())]);
    assert_eq!(plan.put.len(), 3);
}

#[test]
fn defaults_of_another_version_are_known_once_they_came_back() {
    let wanted = objects(&wanted(), &Besides::default());
    let mut there = stored(&wanted);
    for one in &mut there {
        one.value["new_default"] = json!(true);
    }
    assert_eq!(
        plan(&wanted, &there, &Images::new()).put.len(),
        wanted.len()
    );
    let images: Images = wanted
        .iter()
        .zip(&there)
        .map(|(a, b)| ((a.kind, a.id.clone()), (a.value.clone(), lasting(&b.value))))
        .collect();
    assert!(plan(&wanted, &there, &images).put.is_empty());
    there[0].value["new_default"] = json!(false);
    assert_eq!(plan(&wanted, &there, &images).put.len(), 1);
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-z]{0,4}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("[a-z]{1,3}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_is_wanted_is_like_itself_and_like_nothing_else(a in json(), b in json()) {
        prop_assert!(like(&a, &a, ""));
        // No default is known of such names.
        prop_assert_eq!(like(&a, &b, ""), a == b);
    }
}
