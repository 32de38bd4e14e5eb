/// Puts the file into the index.
pub(crate) async fn index_upload(
    event: FileUploaded,
    State(db): State<Db>,
) -> Result<(), DbError> {
    db.insert(event).await
}
///The handler `index_upload`, for `webhook_handlers!`.
#[doc(hidden)]
#[allow(non_camel_case_types)]
pub(crate) struct index_upload {}
#[automatically_derived]
#[allow(deprecated)]
impl ::uploadcare_hooks::Webhook for index_upload {
    const DESCRIPTOR: ::uploadcare_hooks::HandlerDescriptor = {
        ::uploadcare_hooks::__submit_handler! {
            index_upload
        }
        const __WEBHOOK_PARAMETER_0: ::uploadcare_hooks::__private::Parameter<
            FileUploaded,
        > = <FileUploaded as ::uploadcare_hooks::__private::TakenByUploaded>::PARAMETER
            .before(__WEBHOOK_PARAMETER_1.event_is_moved());
        const __WEBHOOK_PARAMETER_1: ::uploadcare_hooks::__private::Parameter<
            State<Db>,
        > = <State<
            Db,
        > as ::uploadcare_hooks::__private::TakenAsState<
            {
                #[allow(unused_imports)]
                use ::uploadcare_hooks::__private::OfAnotherCrate as _;
                ::uploadcare_hooks::__private::Probe::<State<Db>>::IS_OURS
            },
            ::uploadcare_hooks::event::Uploaded,
        >>::PARAMETER
            .before(false);
        ::uploadcare_hooks::__private::descriptor(
            ::uploadcare_hooks::__private::Declaration {
                name: "index_upload",
                module: ::core::module_path!(),
                file: ::core::file!(),
                line: ::core::line!(),
                events: ::core::option::Option::Some(&["file.uploaded"]),
                version: ::core::option::Option::None,
                path: "/",
                secret_env: ::core::option::Option::None,
            },
            &[
                __WEBHOOK_PARAMETER_0.required_states(),
                __WEBHOOK_PARAMETER_1.required_states(),
            ],
            |context| ::uploadcare_hooks::__private::Box::pin(
                ::uploadcare_hooks::__private::call::<
                    {
                        true & __WEBHOOK_PARAMETER_0.is_taken()
                            & __WEBHOOK_PARAMETER_1.is_taken()
                    },
                    _,
                >(
                    context,
                    <Result<
                        (),
                        DbError,
                    > as ::uploadcare_hooks::IntoOutcome>::into_outcome,
                    |context| {
                        let parameter_0 = __WEBHOOK_PARAMETER_0.make(context)?;
                        let parameter_1 = __WEBHOOK_PARAMETER_1.make(context)?;
                        ::core::result::Result::Ok(
                            index_upload(
                                __WEBHOOK_PARAMETER_0.finish(parameter_0, context)?,
                                __WEBHOOK_PARAMETER_1.finish(parameter_1, context)?,
                            ),
                        )
                    },
                ),
            ),
        )
    };
}
