//! Checks of the annotated function's signature.

use quote::ToTokens;
use syn::{FnArg, GenericParam, Ident, ReturnType, Type, TypeReference};

use super::Mistakes;
use crate::{
    events::is_of_delivery,
    model::{Function, bare, is_unsized, last_segment},
    written::written,
};

/// As many as the runtime crate calls a function with.
const MAX_PARAMETERS: usize = 16;

/// Returns the types of the parameters.
pub(super) fn check(function: &Function, payload: &str, mistakes: &mut Mistakes) -> Vec<Type> {
    let sig = &function.sig;
    let mut expected = Expected { name: &sig.ident, payload, shown: false };
    for attr in function.second_attributes() {
        mistakes.on(
            attr,
            "one `#[webhook_handler]` per function: list several events with `events = [\"..\", \"..\"]`, and take \
             `Event`",
        );
    }
    for attr in function.routes() {
        mistakes.on(
            attr,
            "a webhook handler has no route of its own: leave this attribute out, and mount the router that lists the \
             handler",
        );
    }
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
        let message = if sig.generics.params.iter().any(|param| !matches!(param, GenericParam::Lifetime(_))) {
            Some("a webhook handler cannot be generic: the router would not know the types to call it with")
        } else if types_of(function).any(|ty| matches!(bare(ty), Type::Reference(_))) {
            // The message about the reference is enough.
            None
        } else {
            Some("a webhook handler cannot have lifetimes: it takes owned values")
        };
        if let Some(message) = message {
            mistakes.on(&sig.generics.params, expected.after(message));
        }
    } else if let Some(clause) = &sig.generics.where_clause {
        mistakes.on(clause, expected.after("a webhook handler cannot have a `where` clause"));
    }
    if let Some(variadic) = &sig.variadic {
        mistakes.on(variadic, expected.after("a webhook handler cannot be variadic"));
    }
    if let ReturnType::Type(_, output) = &sig.output
        && let Type::ImplTrait(output) = output.as_ref()
    {
        mistakes.on(
            output,
            expected.after(
                "a webhook handler cannot return `impl Trait`: return `()` or `Result<(), E>`; the router answers the \
                 request",
            ),
        );
    }
    if let Some(self_type) = function.first_self_type() {
        mistakes.on(
            self_type,
            expected
                .after("a webhook handler is a free function: move it out of the `impl`, and write the type's name"),
        );
    }
    if let Some(first) = sig.inputs.iter().nth(MAX_PARAMETERS) {
        mistakes.on(
            first,
            expected.after(&format!(
                "a webhook handler takes at most {MAX_PARAMETERS} parameters: put several states into one type, and \
                 take it as `State<T>`"
            )),
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
            FnArg::Typed(input) => {
                if let Some(cfg) = input.attrs.iter().find(|attr| attr.path().is_ident("cfg")) {
                    mistakes.on(
                        cfg,
                        expected.after(
                            "a parameter of a webhook handler cannot have `#[cfg(..)]`: put it on the function, or \
                             take `Option<State<T>>`",
                        ),
                    );
                }
                match refusal(&input.ty) {
                    Some(message) => mistakes.on(&input.ty, expected.after(&message)),
                    None => types.push(input.ty.as_ref().clone()),
                }
            }
        }
    }
    types
}

fn types_of(function: &Function) -> impl Iterator<Item = &Type> {
    function.sig.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(input) => Some(input.ty.as_ref()),
        FnArg::Receiver(_) => None,
    })
}

/// Why a handler cannot take the parameter, if the way in which its type is written shows that.
fn refusal(ty: &Type) -> Option<String> {
    match bare(ty) {
        Type::Reference(reference) => Some(refusal_of_reference(reference)),
        Type::ImplTrait(_) => Some("a webhook handler cannot take `impl Trait`: name the type".to_owned()),
        ty if is_unsized(ty) => Some(refusal_of_unsized(ty, &written(ty))),
        _ => None,
    }
}

fn refusal_of_reference(reference: &TypeReference) -> String {
    let owned = bare(&reference.elem);
    if is_unsized(owned) {
        return refusal_of_unsized(owned, &written(reference));
    }
    let sign = if reference.mutability.is_some() { "&mut" } else { "&" };
    let owned_text = written(owned);
    match last_segment(owned) {
        Some(segment) if is_taken(&segment.ident.to_string()) => {
            format!("a webhook handler takes owned values: write `{owned_text}` without the `{sign}`")
        }
        _ => format!(
            "a webhook handler takes owned values: write `State<{owned_text}>` for a value given to `.state(..)`, or \
             `{owned_text}` if it implements `FromDelivery`"
        ),
    }
}

fn refusal_of_unsized(ty: &Type, whole: &str) -> String {
    match ty {
        Type::TraitObject(_) => format!(
            "a webhook handler cannot take `{whole}`: write `State<Arc<{}>>`, and give the `Arc` to `.state(..)`",
            written(ty)
        ),
        _ => format!(
            "a webhook handler cannot take `{whole}`: take the body from `Delivery`, the body as a type of your own \
             with `Payload<T>`, or a value given to `.state(..)` with `State<T>`"
        ),
    }
}

/// Whether a type of this name is a parameter that handlers have.
fn is_taken(name: &str) -> bool {
    const OTHERS: [&str; 5] = ["State", "Payload", "Option", "Result", "Arc"];
    OTHERS.contains(&name) || is_of_delivery(name)
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
