//! What happened: the body of an event, one type a kind (format section 6).
//!
//! The module `kinds` has the one table that ties a kind's text to its type and to the roles that may sign
//! it. The types list their members; a name ending in `?` in the format is an [`Option`] here. A
//! body with other members than its type's is refused.

/// Defines structs whose members are named as they stand in the event.
macro_rules! members {
    ($($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $member:ident: $type:ty,)* })+) => {$(
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name {
            $($(#[$doc])* pub $member: $type,)*
        }

        impl $crate::body::part::Members for $name {
            fn take(members: &mut $crate::canonical::Nodes) -> Result<Self, String> {
                Ok(Self {
                    $($member: $crate::body::part::take(
                        members,
                        const { $crate::body::member_name(stringify!($member)) },
                    )?,)*
                })
            }

            fn put(&self, object: &mut $crate::canonical::Object) {
                $($crate::body::part::put(
                    object,
                    const { $crate::body::member_name(stringify!($member)) },
                    &self.$member,
                );)*
            }
        }
    )+};
}

/// Makes structs of [`members`] usable as a member of another.
macro_rules! nested {
    ($($name:ident),+) => {$(
        impl $crate::body::part::Part for $name {
            fn read(node: $crate::canonical::Node) -> Result<Self, String> {
                $crate::body::part::whole(node)
            }

            fn write(&self) -> Option<$crate::canonical::Value> {
                let mut object = $crate::canonical::Object::new();
                $crate::body::part::Members::put(self, &mut object);
                Some($crate::canonical::Value::Object(object))
            }
        }
    )+};
}

mod backups;
mod kinds;
mod migrations;
mod openings;
pub(crate) mod part;
mod records;
mod runs;
pub(crate) mod words;

pub use backups::*;
pub use kinds::Body;
pub use migrations::*;
pub use openings::*;
pub use part::{Decimal, Metadata, Roles, Sorted};
pub use records::*;
pub use runs::*;
pub use words::*;

/// Drops the `r#` of a member that is named as a word of the language.
const fn member_name(name: &str) -> &str {
    match name.as_bytes() {
        [b'r', b'#', ..] => name.split_at(2).1,
        _ => name,
    }
}
