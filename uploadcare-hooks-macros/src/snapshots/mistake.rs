::core::compile_error! {
    "unknown event `file.uplaoded`: did you mean `file.uploaded`?\n\nnote: known events are `file.uploaded`, `file.stored`, `file.deleted`, `file.infected`, `file.info_updated`; to take an event that this version does not know yet, add `unlisted`"
}
async fn index_upload(event: FileUploaded) {}
///The handler `index_upload`, for `webhook_handlers!`.
#[doc(hidden)]
#[allow(non_camel_case_types)]
struct index_upload {}
#[automatically_derived]
#[allow(deprecated)]
impl ::uploadcare_hooks::Webhook for index_upload {
    const DESCRIPTOR: ::uploadcare_hooks::HandlerDescriptor = {
        ::uploadcare_hooks::__private::inert()
    };
}
