//! Reads the tags of a page, as far as the tests need.

/// A tag with its attributes.
#[derive(Debug)]
pub(crate) struct Tag {
    pub(crate) name: String,
    pub(crate) attributes: Vec<(String, String)>,
}

impl Tag {
    /// The value of an attribute, as it is written in the HTML.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// The opening tags of a page, in their order.
pub(crate) fn tags(html: &str) -> Vec<Tag> {
    let mut tags = Vec::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        rest = &rest[start + 1..];
        if !rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
            continue;
        }
        let end = rest.find(|c: char| c.is_whitespace() || c == '>').unwrap();
        let mut tag = Tag { name: rest[..end].to_ascii_lowercase(), attributes: Vec::new() };
        rest = rest[end..].trim_start();
        while !rest.starts_with('>') {
            let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '=' | '>')).unwrap();
            let name = rest[..end].to_ascii_lowercase();
            rest = &rest[end..];
            let mut value = String::new();
            if let Some(quoted) = rest.strip_prefix("=\"") {
                let end = quoted.find('"').unwrap();
                quoted[..end].clone_into(&mut value);
                rest = &quoted[end + 1..];
            }
            tag.attributes.push((name, value));
            rest = rest.trim_start();
        }
        tags.push(tag);
    }
    tags
}

/// The text in the HTML of an attribute or an element.
pub(crate) fn unescaped(html: &str) -> String {
    html.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

/// The text of a piece of HTML, without its tags.
pub(crate) fn text(html: &str) -> String {
    let mut text = String::new();
    for (number, part) in html.split('<').enumerate() {
        text.push_str(if number == 0 { part } else { part.split_once('>').map_or("", |(_, text)| text) });
    }
    unescaped(&text)
}

/// The fields of the form whose `action` is this, with the values that a browser would send.
/// A button is only sent when it is clicked, so it is left out.
pub(crate) fn fields(html: &str, action: &str) -> Vec<(String, String)> {
    let from = html
        .find(&format!("method=\"post\" action=\"{action}\""))
        .unwrap_or_else(|| panic!("no form {action} in {html}"));
    let form = &html[from..from + html[from..].find("</form>").unwrap()];
    let mut fields = Vec::new();
    let mut select = String::new();
    let mut position = 0;
    while let Some(start) = form[position..].find('<') {
        position += start + 1;
        let Some(tag) =
            tags(&form[position - 1..form[position..].find('>').map_or(form.len(), |end| position + end + 1)]).pop()
        else {
            continue;
        };
        let name = tag.get("name").unwrap_or_default().to_owned();
        let value = unescaped(tag.get("value").unwrap_or_default());
        match tag.name.as_str() {
            "input" if matches!(tag.get("type"), Some("checkbox" | "radio")) && tag.get("checked").is_none() => {}
            "input" => fields.push((name, value)),
            "select" => {
                select.clone_from(&name);
                fields.push((name, String::new()));
            }
            "option" if !select.is_empty() => {
                let field = fields.iter_mut().rfind(|(known, _)| *known == select).unwrap();
                if field.1.is_empty() || tag.get("selected").is_some() {
                    field.1 = value;
                }
            }
            "textarea" => {
                let text = &form[position..];
                let text = &text[text.find('>').unwrap() + 1..text.find("</textarea>").unwrap()];
                fields.push((name, unescaped(text)));
            }
            _ => {}
        }
    }
    fields
}
