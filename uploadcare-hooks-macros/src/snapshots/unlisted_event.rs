async fn moderated(Payload(event): Payload<Moderation>) {}
///The handler `moderated`, for `webhook_handlers!`.
#[doc(hidden)]
#[allow(non_camel_case_types)]
struct moderated {}
#[automatically_derived]
#[allow(deprecated)]
impl ::uploadcare_hooks::Webhook for moderated {
    const DESCRIPTOR: ::uploadcare_hooks::HandlerDescriptor = {
        ::uploadcare_hooks::__submit_handler! {
            moderated
        }
        const __WEBHOOK_PARAMETER_0: ::uploadcare_hooks::__private::Parameter<
            Payload<Moderation>,
        > = <Payload<
            Moderation,
        > as ::uploadcare_hooks::__private::TakenAsPayload<
            {
                #[allow(unused_imports)]
                use ::uploadcare_hooks::__private::OfAnotherCrate as _;
                ::uploadcare_hooks::__private::Probe::<Payload<Moderation>>::IS_OURS
            },
            ::uploadcare_hooks::event::Unlisted,
        >>::PARAMETER
            .before(false);
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
            |context| ::uploadcare_hooks::__private::Box::pin(
                ::uploadcare_hooks::__private::call::<
                    { true & __WEBHOOK_PARAMETER_0.is_taken() },
                    _,
                >(
                    context,
                    <() as ::uploadcare_hooks::IntoOutcome>::into_outcome,
                    |context| {
                        let parameter_0 = __WEBHOOK_PARAMETER_0.make(context)?;
                        ::core::result::Result::Ok(
                            moderated(
                                __WEBHOOK_PARAMETER_0.finish(parameter_0, context)?,
                            ),
                        )
                    },
                ),
            ),
        )
    };
}
