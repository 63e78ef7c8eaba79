//! Requests that get no answer: what happened and what to do, kindly.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use kakitome_verdict::text::Lang;

use super::{Wish, html, json, page};

/// Why a request gets no answer.
#[derive(Debug)]
pub(super) enum Trouble {
    /// No such page.
    NotFound,
    /// Nothing is offered by this link, or not any more.
    NoOffer,
    /// A page, but not by this method.
    Method,
    /// The form came without a mail.
    Nothing,
    /// The file that was chosen is empty.
    Empty,
    /// The file holds no mail of the number that was chosen.
    Number,
    /// The upload does not keep to its form.
    Broken,
    /// Neither a form nor a mail.
    Kind,
    /// The upload took too long.
    Slow,
    /// Too many uploads at once.
    Busy,
    /// Our environment failed.
    Fault(String),
    /// Our environment failed while a file was made.
    NoFile(String),
    /// We failed.
    Bug(String),
}

struct Row {
    status: StatusCode,
    code: &'static str,
    ja: [&'static str; 2],
    en: [&'static str; 2],
}

impl Trouble {
    fn row(&self) -> Row {
        let row = |status, code, ja, en| Row { status, code, ja, en };
        match self {
            Self::NotFound => row(
                StatusCode::NOT_FOUND,
                "not-found",
                ["ページが見つかりません", "アドレスをお確かめください。"],
                ["Page not found", "Please check the address."],
            ),
            Self::NoOffer => row(
                StatusCode::NOT_FOUND,
                "no-offer",
                [
                    "このリンクは使えません",
                    "すでに使われたか、期限が切れたか、コードが何度も違っていました。管理者に新しいリンクを頼んでください。",
                ],
                [
                    "This link cannot be used",
                    "It was used, its time is over, or the code was wrong too often. Please ask your administrator for a new link.",
                ],
            ),
            Self::Method => row(
                StatusCode::METHOD_NOT_ALLOWED,
                "method",
                ["ここは直接開けません", "最初のページから、メールを選んでください。"],
                ["This page cannot be opened directly", "Please choose a mail on the first page."],
            ),
            Self::Nothing => row(
                StatusCode::BAD_REQUEST,
                "nothing",
                ["メールが選ばれていません", "ファイルを選ぶか、メールのソースを貼り付けてください。"],
                ["No mail was chosen", "Please choose a file or paste the source of a mail."],
            ),
            Self::Empty => row(
                StatusCode::BAD_REQUEST,
                "empty",
                ["ファイルが空です", "0 バイトのファイルでした。メールを保存し直して、もう一度選んでください。"],
                ["The file is empty", "It has no content at all. Please save the mail again and choose that file."],
            ),
            Self::Number => row(
                StatusCode::BAD_REQUEST,
                "number",
                ["その番号のメールはありません", "メールの入った、同じファイルを選んだかお確かめください。"],
                ["There is no mail of that number", "Please make sure that it is the same file of mails."],
            ),
            Self::Broken => row(
                StatusCode::BAD_REQUEST,
                "broken",
                ["うまく受け取れませんでした", "送信が途中で切れたようです。もう一度お試しください。"],
                ["The upload did not arrive whole", "It seems to have been cut off. Please try again."],
            ),
            Self::Kind => row(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "kind",
                [
                    "この形式では受け取れません",
                    "multipart/form-data（項目 mail または source）か、message/rfc822 で送ってください。",
                ],
                [
                    "Not a form that this page takes",
                    "Send multipart/form-data with a field mail or source, or message/rfc822.",
                ],
            ),
            Self::Slow => row(
                StatusCode::REQUEST_TIMEOUT,
                "slow",
                ["時間がかかりすぎました", "送信が時間内に終わりませんでした。もう一度お試しください。"],
                ["It took too long", "The upload did not finish in time. Please try again."],
            ),
            Self::Busy => row(
                StatusCode::SERVICE_UNAVAILABLE,
                "busy",
                ["混みあっています", "少し待ってから、もう一度お試しください。"],
                ["Busy at the moment", "Please try again in a little while."],
            ),
            Self::Fault(_) => row(
                StatusCode::SERVICE_UNAVAILABLE,
                "fault",
                [
                    "いまは確かめられません",
                    "こちらの一時的な問題です。メールのせいではありません。時間をおいてお試しください。",
                ],
                [
                    "It cannot be checked right now",
                    "A temporary problem on our side, not with the mail. Please try again later.",
                ],
            ),
            Self::NoFile(_) => row(
                StatusCode::SERVICE_UNAVAILABLE,
                "no-file",
                ["いまは渡せません", "こちらの一時的な問題です。少し待ってから、もう一度お試しください。"],
                [
                    "It cannot be handed out right now",
                    "A temporary problem on our side. Please try again in a little while.",
                ],
            ),
            Self::Bug(_) => row(
                StatusCode::INTERNAL_SERVER_ERROR,
                "bug",
                [
                    "こちらの不具合です",
                    "メールを確かめる途中で、このソフトが止まりました。このメールは確認できていません。",
                ],
                ["A fault of this program", "It stopped while checking the mail. The mail has not been confirmed."],
            ),
        }
    }

    /// As a page or as JSON. A fault is logged, since it says something of us and nothing of the mail.
    pub(super) fn response(&self, wish: &Wish) -> Response {
        if let Self::Fault(why) | Self::Bug(why) = self {
            tracing::error!("the check page could not judge a mail: {why}");
        }
        if let Self::NoFile(why) = self {
            tracing::error!("a file that was offered could not be made: {why}");
        }
        let Row { status, code, ja, en } = self.row();
        let mut response = if wish.json {
            let error = serde_json::json!({ "error": code, "ja": ja.join("。"), "en": en.join(". ") });
            json(status, format!("{error}\n"))
        } else {
            let [title, text] = if wish.lang == Lang::Ja { ja } else { en };
            html(status, page::trouble(title, text, wish.lang))
        };
        let headers = response.headers_mut();
        match status {
            StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("10"));
            }
            // the rest of the upload may still be under way
            StatusCode::REQUEST_TIMEOUT => {
                headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            _ => {}
        }
        response
    }
}
