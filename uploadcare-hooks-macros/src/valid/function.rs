//! Checks of the annotated function's signature.

use quote::ToTokens;
use syn::{FnArg, Ident, ReturnType, Type};

use super::Mistakes;
use crate::model::Function;

/// Returns the types of the parameters.
pub(super) fn check(function: &Function, payload: &str, mistakes: &mut Mistakes) -> Vec<Type> {
    let sig = &function.sig;
    let mut expected = Expected { name: &sig.ident, payload, shown: false };
    if sig.asyncness.is_none() {
        mistakes.on(sig.fn_token, expected.after("a webhook handler is an `async fn`: write `async` in front of `fn`"));
    }
    if let Some(constness) = &sig.constness {
        mistakes.on(constness, expected.after("a webhook handler cannot be `const`: leave it out"));
    }
    if !sig.safety.to_token_stream().is_empty() {
        mistakes.on(&sig.safety, expected.after("a webhook handler is called by safe code: leave `unsafe` out"));
    }
    if let Some(abi) = &sig.abi {
        mistakes.on(abi, expected.after("a webhook handler cannot be `extern`: leave it out"));
    }
    if !sig.generics.params.is_empty() {
        mistakes.on(
            &sig.generics.params,
            expected.after("a webhook handler cannot be generic: the router would not know the types to call it with"),
        );
    } else if let Some(clause) = &sig.generics.where_clause {
        mistakes.on(clause, expected.after("a webhook handler cannot have a `where` clause"));
    }
    if let Some(variadic) = &sig.variadic {
        mistakes.on(variadic, expected.after("a webhook handler cannot be variadic"));
    }
    if let ReturnType::Type(_, output) = &sig.output
        && let Type::ImplTrait(output) = output.as_ref()
    {
        mistakes.on(output, expected.after("a webhook handler cannot return `impl Trait`: name the type"));
    }
    if let Some(self_type) = function.first_self_type() {
        mistakes.on(
            self_type,
            expected
                .after("a webhook handler is a free function: move it out of the `impl`, and write the type's name"),
        );
    }
    let mut types = Vec::new();
    for input in &sig.inputs {
        match input {
            FnArg::Receiver(receiver) => mistakes.on(
                receiver,
                expected.after(
                    "a webhook handler is a free function: move it out of the `impl`, and take shared values as \
                     `State<T>` instead of `self`",
                ),
            ),
            FnArg::Typed(input) => match input.ty.as_ref() {
                Type::Reference(ty) => {
                    let owned = ty.elem.to_token_stream().to_string();
                    mistakes.on(
                        ty,
                        expected
                            .after(&format!("a webhook handler takes owned values: write `{owned}` without the `&`")),
                    );
                }
                Type::ImplTrait(ty) => {
                    mistakes.on(ty, expected.after("a webhook handler cannot take `impl Trait`: name the type"));
                }
                ty => types.push(ty.clone()),
            },
        }
    }
    types
}

/// A correct signature to show. Only the first mistake of a function shows it.
struct Expected<'a> {
    name: &'a Ident,
    payload: &'a str,
    shown: bool,
}

impl Expected<'_> {
    fn after(&mut self, message: &str) -> String {
        if std::mem::replace(&mut self.shown, true) {
            return message.to_owned();
        }
        let Self { name, payload, .. } = self;
        format!(
            "{message}\n\n\
             note: expected `async fn {name}(event: {payload}) -> Result<(), Error>`; it may take more parameters, \
             such as `State<T>`, `Event` or `Delivery`, and may return nothing"
        )
    }
}
