//! The collection of handlers that are linked in, for the feature `discover`. The only state of the
//! whole process.

use super::HandlerDescriptor;

/// A handler that is linked in. The attribute's code submits one for each annotated function.
#[derive(Debug)]
pub struct Submitted(pub HandlerDescriptor);

inventory::collect!(Submitted);
