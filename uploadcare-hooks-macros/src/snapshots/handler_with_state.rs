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
impl ::uploadcare_hooks::Webhook for index_upload {
    const DESCRIPTOR: ::uploadcare_hooks::HandlerDescriptor = {
        const __WEBHOOK_PARAMETER_0: ::uploadcare_hooks::__private::Parameter<
            FileUploaded,
        > = ::uploadcare_hooks::__private::parameter::<
            FileUploaded,
            ::uploadcare_hooks::event::Uploaded,
        >();
        const __WEBHOOK_PARAMETER_1: ::uploadcare_hooks::__private::Parameter<
            State<Db>,
        > = ::uploadcare_hooks::__private::parameter::<
            State<Db>,
            ::uploadcare_hooks::event::Uploaded,
        >();
        ::uploadcare_hooks::__private::descriptor(
            ::uploadcare_hooks::__private::Options {
                name: "index_upload",
                module: ::core::module_path!(),
                file: ::core::file!(),
                line: ::core::line!(),
                events: ::core::option::Option::Some(&["file.uploaded"]),
                version: ::core::option::Option::None,
                path: "/",
                secret_env: ::core::option::Option::None,
            },
            &[__WEBHOOK_PARAMETER_0.needs(), __WEBHOOK_PARAMETER_1.needs()],
            |context| ::uploadcare_hooks::__private::call::<
                Result<(), DbError>,
                _,
            >(
                context,
                |context| ::core::result::Result::Ok(
                    index_upload(
                        __WEBHOOK_PARAMETER_0.take(context)?,
                        __WEBHOOK_PARAMETER_1.take(context)?,
                    ),
                ),
            ),
        )
    };
}
