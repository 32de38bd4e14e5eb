#[cfg(feature = "count")]
async fn r#move(event: Event) {}
#[cfg(feature = "count")]
///The handler `move`, for `webhook_handlers!`.
#[doc(hidden)]
#[allow(non_camel_case_types)]
struct r#move {}
#[cfg(feature = "count")]
#[automatically_derived]
#[allow(deprecated)]
impl renamed::hooks::Webhook for r#move {
    const DESCRIPTOR: renamed::hooks::HandlerDescriptor = {
        const __WEBHOOK_PARAMETER_0: renamed::hooks::__private::Parameter<Event> = renamed::hooks::__private::parameter::<
            Event,
            renamed::hooks::event::Any,
        >(false);
        renamed::hooks::__private::descriptor(
            renamed::hooks::__private::Declaration {
                name: "count_files",
                module: ::core::module_path!(),
                file: ::core::file!(),
                line: ::core::line!(),
                events: ::core::option::Option::Some(&["file.stored", "file.deleted"]),
                version: ::core::option::Option::Some("0.7"),
                path: "/files",
                secret_env: ::core::option::Option::Some("FILES_SECRET"),
            },
            &[__WEBHOOK_PARAMETER_0.required_states()],
            |context| renamed::hooks::__private::call::<
                (),
                _,
            >(
                context,
                |context| {
                    let parameter_0 = __WEBHOOK_PARAMETER_0.make(context)?;
                    ::core::result::Result::Ok(
                        r#move(__WEBHOOK_PARAMETER_0.finish(parameter_0, context)?),
                    )
                },
            ),
        )
    };
}
#[cfg(feature = "count")]
renamed::hooks::__submit_handler! {
    r#move
}
