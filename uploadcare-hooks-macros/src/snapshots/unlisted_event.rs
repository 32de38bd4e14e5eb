async fn moderated(Payload(event): Payload<Moderation>) {}
///The handler `moderated`, for `webhook_handlers!`.
#[doc(hidden)]
#[allow(non_camel_case_types)]
struct moderated {}
#[automatically_derived]
#[allow(deprecated)]
impl ::uploadcare_hooks::Webhook for moderated {
    const DESCRIPTOR: ::uploadcare_hooks::HandlerDescriptor = {
        const __WEBHOOK_PARAMETER_0: ::uploadcare_hooks::__private::Parameter<
            Payload<Moderation>,
        > = ::uploadcare_hooks::__private::parameter::<
            Payload<Moderation>,
            ::uploadcare_hooks::event::Unlisted,
        >(false);
        ::uploadcare_hooks::__private::descriptor(
            ::uploadcare_hooks::__private::Declaration {
                name: "moderated",
                module: ::core::module_path!(),
                file: ::core::file!(),
                line: ::core::line!(),
                events: ::core::option::Option::Some(&["moderation.state_changed"]),
                version: ::core::option::Option::None,
                path: "/",
                secret_env: ::core::option::Option::None,
            },
            &[__WEBHOOK_PARAMETER_0.required_states()],
            |context| ::uploadcare_hooks::__private::call::<
                (),
                _,
            >(
                context,
                |context| {
                    let parameter_0 = __WEBHOOK_PARAMETER_0.make(context)?;
                    ::core::result::Result::Ok(
                        moderated(__WEBHOOK_PARAMETER_0.finish(parameter_0, context)?),
                    )
                },
            ),
        )
    };
}
::uploadcare_hooks::__submit_handler! {
    moderated
}
