//! What the attribute expands to: the function as it was, and beside it a type of the same name
//! with the descriptor. The generated code only passes on; the functions it calls are in the
//! runtime crate.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{Ident, Path, ext::IdentExt, parse_quote_spanned, spanned::Spanned};

use crate::{model::Function, valid::Handler};

pub(crate) fn expand(handler: &Handler, function: &Function) -> TokenStream {
    let Handler { krate, name, .. } = handler;
    let Function { attrs, vis, sig, body } = function;
    let function_name = &sig.ident;
    let marker = Ident::new(handler.marker, Span::mixed_site());
    let context = Ident::new("context", Span::mixed_site());

    let (mut constants, mut required_states, mut made, mut parameters) = (vec![], vec![], vec![], vec![]);
    // From the last to the first, since each constant needs the next one.
    let mut event_is_moved = quote!(false);
    for (position, ty) in handler.parameters.iter().enumerate().rev() {
        let span = Span::mixed_site().located_at(ty.span());
        let constant = format_ident!("__WEBHOOK_PARAMETER_{position}", span = span);
        let parameter = format_ident!("parameter_{position}", span = span);
        // The crate's path is spanned at the type too, or the message would point at the attribute.
        let private = private(krate, span);
        let event: Path = parse_quote_spanned!(span=> #krate::event::#marker);
        constants.push(quote_spanned! {span=>
            const #constant: #private::Parameter<#ty> = #private::parameter::<#ty, #event>(#event_is_moved);
        });
        event_is_moved = quote_spanned!(span=> #constant.event_is_moved());
        required_states.push(quote_spanned!(span=> #constant.required_states()));
        made.push(quote_spanned!(span=> let #parameter = #constant.make(#context)?;));
        parameters.push(quote_spanned!(span=> #constant.finish(#parameter, #context)?));
    }
    for tokens in [&mut constants, &mut required_states, &mut made, &mut parameters] {
        tokens.reverse();
    }

    let output_span = handler.output.as_ref().map_or(function_name.span(), Spanned::span);
    let output = match &handler.output {
        Some(output) => quote!(#output),
        None => quote_spanned!(output_span=> ()),
    };
    let called = Span::mixed_site().located_at(output_span);
    let call = {
        let private = private(krate, called);
        quote_spanned!(called=> #private::call::<#output, _>)
    };

    let module = private(krate, Span::mixed_site());
    let events = option(handler.events.as_ref().map(|events| quote!(&[#(#events),*])));
    let version = option(handler.version.as_ref().map(|version| quote!(#version)));
    let secret_env = option(handler.secret_env.as_ref().map(|variable| quote!(#variable)));
    let path = &handler.path;
    let cfgs = function.cfgs();
    let shape = shape(
        function,
        krate,
        &quote! {
            #(#constants)*
            #module::descriptor(
                #module::Declaration {
                    name: #name,
                    module: ::core::module_path!(),
                    file: ::core::file!(),
                    line: ::core::line!(),
                    events: #events,
                    version: #version,
                    path: #path,
                    secret_env: #secret_env,
                },
                &[#(#required_states),*],
                |#context| #call(#context, |#context| {
                    #(#made)*
                    ::core::result::Result::Ok(#function_name(#(#parameters),*))
                }),
            )
        },
    );
    quote! {
        #(#attrs)*
        #vis #sig #body
        #shape

        #(#cfgs)*
        #krate::__submit_handler! { #function_name }
    }
}

/// The type beside the function. Because of the braces its name is in the type namespace only, so
/// the function can have the same name.
pub(crate) fn shape(function: &Function, krate: &Path, descriptor: &TokenStream) -> TokenStream {
    let Function { vis, sig, .. } = function;
    let cfgs: Vec<_> = function.cfgs().collect();
    let deprecated = function.deprecated();
    let name = &sig.ident;
    let doc = format!("The handler `{}`, for `webhook_handlers!`.", name.unraw());
    quote! {
        #(#cfgs)*
        #(#deprecated)*
        #[doc = #doc]
        #[doc(hidden)]
        #[allow(non_camel_case_types)]
        #vis struct #name {}

        #(#cfgs)*
        #[automatically_derived]
        // The compiler has warned about the function itself already.
        #[allow(deprecated)]
        impl #krate::Webhook for #name {
            const DESCRIPTOR: #krate::HandlerDescriptor = { #descriptor };
        }
    }
}

fn private(krate: &Path, span: Span) -> TokenStream {
    let krate = respanned(krate, span);
    quote_spanned!(span=> #krate::__private)
}

/// The same path with its location moved to `span`. It is still resolved where it was written.
fn respanned(path: &Path, span: Span) -> TokenStream {
    quote!(#path)
        .into_iter()
        .map(|mut token| {
            token.set_span(token.span().located_at(span));
            token
        })
        .collect()
}

fn option(value: Option<TokenStream>) -> TokenStream {
    match value {
        Some(value) => quote!(::core::option::Option::Some(#value)),
        None => quote!(::core::option::Option::None),
    }
}
