use actix_web::{App, HttpServer};
use uploadcare_hooks::WebhookRouter;

fn serve(hooks: WebhookRouter) {
    let _ = HttpServer::new(move || App::new().service(hooks.mount("/hooks")));
}

fn main() {}
