//! Handlers in the 2018 edition, in a crate that knows `uploadcare-hooks` by another name only.
#![deny(warnings)]
#![allow(async_fn_in_trait, missing_docs)]

use renamed_hooks::{webhook_handler, webhook_handlers, FileStored, FileUploaded, HandlerDescriptor, State};

#[webhook_handler(event = "file.uploaded", crate = renamed_hooks)]
pub async fn index(event: FileUploaded, State(count): State<usize>) -> Result<(), String> {
    let _ = (event, count);
    Ok(())
}

#[webhook_handler(event = "file.stored", crate = "renamed_hooks")]
pub async fn archive(event: FileStored) {
    drop(event);
}

/// What an application lists.
pub fn handlers() -> Vec<HandlerDescriptor> {
    webhook_handlers![index, crate::archive]
}

#[cfg(test)]
mod tests {
    #[test]
    fn handlers_of_a_renamed_crate_are_listed() {
        let names: Vec<_> = super::handlers().iter().map(|handler| handler.name()).collect();
        assert_eq!(names, ["index", "archive"]);
    }
}
