//! What the attribute expands to: the function as it was, and beside it a type of the same name
//! with the descriptor. The generated code only passes on; the functions it calls are in the
//! runtime crate.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{
    GenericArgument, Ident, ItemStruct, Path, PathArguments, Token, Type,
    ext::IdentExt,
    parse::{ParseStream, Parser},
    spanned::Spanned,
};

use crate::{
    events::{MARKER_OF_UNLISTED, is_of_delivery},
    model::{Function, last_segment},
    valid::Handler,
};

pub(crate) fn expand(handler: &Handler, function: &Function) -> TokenStream {
    let Handler { krate, name, .. } = handler;
    let Function { attrs, vis, sig, body, .. } = function;
    let function_name = &sig.ident;
    let marker = Ident::new(handler.marker, Span::mixed_site());
    // A list of pairs: `(first, (second, ()))`.
    let parameters = handler.parameters.iter().enumerate().rfold(quote!(()), |others, (position, ty)| {
        let parameter = parameter(ty, position == 0, krate, &marker);
        quote!((#parameter, #others))
    });
    let output_span = handler.output.as_ref().map_or(function_name.span(), Spanned::span);
    let output = match &handler.output {
        Some(output) => quote!(#output),
        None => quote_spanned!(output_span=> ()),
    };
    let into_outcome = into_outcome(&output, krate, Span::mixed_site().located_at(output_span));
    let events = handler.events.as_ref().map(|events| quote!(.events(&[#(#events),*])));
    let version = handler.version.as_ref().map(|version| quote!(.version(#version)));
    let secret_env = handler.secret_env.as_ref().map(|variable| quote!(.secret_env(#variable)));
    let path = &handler.path;
    let module = private(krate, Span::mixed_site());
    // No variable holds it: that could have the name of a constant or a type of the user's.
    let declaration = quote! {
        #module::Declaration::new(#name, ::core::module_path!(), ::core::file!(), ::core::line!(), #path)
            #events
            #version
            #secret_env
    };
    let name_span = Span::mixed_site().located_at(function_name.span());
    let called = private(krate, name_span);
    let descriptor = quote_spanned! {name_span=>
        #called::descriptor(#declaration, &const { #called::Handler::new(#parameters, #function_name, #into_outcome) })
    };
    let shape = shape(
        function,
        krate,
        &quote! {
            #krate::__submit_handler! { #function_name }
            #descriptor
        },
    );
    quote! {
        #(#attrs)*
        #vis #sig #body
        #shape
    }
}

/// The type beside the function. Because of the braces its name is in the type namespace only, so
/// the function can have the same name.
///
/// It is one item, to which [`handler_type`] adds the `impl`: inside an `impl`, where neither can
/// stand, the compiler reports one mistake instead of two. It is located at the function, so that
/// messages about it show the function.
pub(crate) fn shape(function: &Function, krate: &Path, descriptor: &TokenStream) -> TokenStream {
    let Function { vis, sig, body, .. } = function;
    let cfgs = function.cfgs();
    let deprecated = function.deprecated();
    let name = &sig.ident;
    let doc = format!("The handler `{}`, for `webhook_handlers!`.", name.unraw());
    let located_at =
        |tokens: Option<TokenTree>| Span::mixed_site().located_at(tokens.map_or(name.span(), |token| token.span()));
    let keyword = Ident::new("struct", located_at(sig.to_token_stream().into_iter().next()));
    let mut fields = Group::new(Delimiter::Brace, TokenStream::new());
    fields.set_span(located_at(body.clone().into_iter().last()));
    quote! {
        #(#cfgs)*
        #(#deprecated)*
        #[doc = #doc]
        #[doc(hidden)]
        #[allow(non_camel_case_types)]
        #[#krate::__private::handler_type(#krate, #descriptor)]
        #vis #keyword #name #fields
    }
}

/// Adds the implementation of `Webhook` to a handler's type.
pub(crate) fn handler_type(arguments: TokenStream, ty: &TokenStream) -> syn::Result<TokenStream> {
    let parser = |input: ParseStream<'_>| {
        let krate: Path = input.parse()?;
        input.parse::<Token![,]>()?;
        Ok((krate, input.parse::<TokenStream>()?))
    };
    let (krate, descriptor) = parser.parse2(arguments)?;
    let ItemStruct { ident: name, .. } = syn::parse2(ty.clone())?;
    Ok(quote! {
        #ty

        #[automatically_derived]
        // The compiler has warned about the function itself already.
        #[allow(deprecated)]
        impl #krate::Webhook for #name {
            const DESCRIPTOR: #krate::HandlerDescriptor = { #descriptor };
        }
    })
}

/// A parameter in the list of all, by way of the trait that has the message about its type.
fn parameter(ty: &Type, is_first: bool, krate: &Path, marker: &Ident) -> TokenStream {
    let span = Span::mixed_site().located_at(ty.span());
    // The crate's path is spanned at the type too, or the message would point at the attribute.
    let private = private(krate, span);
    let respanned = respanned(krate, span);
    let taken_as = |name: &str| format_ident!("TakenAs{name}", span = span);
    let written = match Written::of(ty) {
        // The first parameter is likely to be meant as the payload.
        Written::Other(_) if is_first && *marker == MARKER_OF_UNLISTED => Written::Payload,
        written => written,
    };
    let taken_by = match written {
        Written::Payload => {
            let taken_by = format_ident!("TakenBy{marker}", span = span);
            quote_spanned!(span=> #private::#taken_by<_>)
        }
        Written::Wrapper(name) => {
            let taken_as = taken_as(name);
            quote_spanned! {span=>
                #private::#taken_as<
                    {
                        #[allow(unused_imports)]
                        use #private::OfAnotherCrate as _;
                        #private::Probe::<#ty>::IS_OURS
                    },
                    #respanned::event::#marker,
                    _,
                >
            }
        }
        Written::Other(name) => {
            let taken_as = taken_as(name);
            quote_spanned!(span=> #private::#taken_as<#respanned::event::#marker, _>)
        }
    };
    quote_spanned!(span=> <#ty as #taken_by>::PARAMETER)
}

/// How a parameter's type is written. Only the compiler's message about a wrong parameter depends
/// on it.
enum Written {
    /// As a payload, or as the event or the delivery around it.
    Payload,
    /// As `State<..>` or `Payload<..>`, of any crate.
    Wrapper(&'static str),
    /// As another type, with the end of the name of its trait.
    Other(&'static str),
}

impl Written {
    fn of(ty: &Type) -> Self {
        const SELDOM_STATES: [&str; 6] = ["String", "Bytes", "HeaderMap", "Request", "HttpRequest", "Uuid"];
        let Some(segment) = last_segment(ty) else { return Self::Other("Extractor") };
        let name = segment.ident.to_string();
        if is_of_delivery(&name) {
            return Self::Payload;
        }
        // actix-web has a `Payload` without a type inside; a `State` without one is the user's own.
        if name == "Payload" {
            return Self::Wrapper("Payload");
        }
        let PathArguments::AngleBracketed(arguments) = &segment.arguments else {
            return Self::Other(if SELDOM_STATES.contains(&name.as_str()) { "Extractor" } else { "Other" });
        };
        if name == "State" {
            return Self::Wrapper("State");
        }
        let inside = arguments.args.iter().find_map(|argument| match argument {
            GenericArgument::Type(ty) => Some(Self::of(ty)),
            _ => None,
        });
        match (name.as_str(), inside) {
            ("Option" | "Result", Some(Self::Wrapper("State"))) => Self::Wrapper("State"),
            ("Option" | "Result" | "Arc", Some(Self::Payload | Self::Wrapper(_))) => Self::Payload,
            ("Arc", _) => Self::Other("Other"),
            _ => Self::Other("Extractor"),
        }
    }
}

fn into_outcome(output: &TokenStream, krate: &Path, span: Span) -> TokenStream {
    let krate = respanned(krate, span);
    quote_spanned!(span=> <#output as #krate::IntoOutcome>::into_outcome)
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
