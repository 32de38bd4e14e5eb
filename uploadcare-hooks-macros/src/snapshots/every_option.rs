#[cfg(feature = "count")]
async fn r#move(event: Event) {}
#[cfg(feature = "count")]
///The handler `move`, for `webhook_handlers!`.
#[doc(hidden)]
#[allow(non_camel_case_types)]
struct r#move {}
#[automatically_derived]
#[allow(deprecated)]
impl renamed::hooks::Webhook for r#move {
    const DESCRIPTOR: renamed::hooks::HandlerDescriptor = {
        renamed::hooks::__submit_handler! {
            r#move
        }
        const __WEBHOOK_PARAMETER_0: renamed::hooks::__private::Parameter<Event> = <Event as renamed::hooks::__private::TakenByAny>::PARAMETER
            .before(false);
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
            |context| renamed::hooks::__private::Box::pin(
                renamed::hooks::__private::call::<
                    { true & __WEBHOOK_PARAMETER_0.is_taken() },
                    _,
                >(
                    context,
                    <() as renamed::hooks::IntoOutcome>::into_outcome,
                    |context| {
                        let parameter_0 = __WEBHOOK_PARAMETER_0.make(context)?;
                        ::core::result::Result::Ok(
                            r#move(__WEBHOOK_PARAMETER_0.finish(parameter_0, context)?),
                        )
                    },
                ),
            ),
        )
    };
}
