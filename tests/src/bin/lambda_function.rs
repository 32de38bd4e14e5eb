//! The application of the tests as a function of AWS Lambda. The first argument of the environment,
//! `APPLICATION`, names its state. Each response has a header with what the handlers noted.

use lambda_http::{http::HeaderValue, service_fn, tower::Service};
use tests::application::{Application, Seen};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    let application = std::env::var("APPLICATION")?;
    let application = Application::named(&application).ok_or("APPLICATION names no application")?;
    let seen = Seen::default();
    let (hooks, _held) = application.start(&seen).await.map_err(|error| error.to_string())?;
    let service = hooks.into_service().at("/hooks");
    lambda_http::run(service_fn(move |request: lambda_http::Request| {
        let (answer, seen) = (service.clone().call(request), seen.clone());
        async move {
            let mut response = answer.await?;
            response.headers_mut().insert("x-seen", HeaderValue::from_str(&seen.take().join(", "))?);
            Ok::<_, lambda_http::Error>(response)
        }
    }))
    .await
}
