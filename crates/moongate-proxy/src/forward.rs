//! The part of a request's way between its plugins and its upstream's answer.

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{StatusCode, Version, header};
use moongate_balancer::Algorithm;
use moongate_hooks::{Exchange, PluginRuntime};

use crate::answer::Answer;
use crate::body::{Lease, ResponseBody, Source};
use crate::edits::{Way, note_answer};
use crate::error::Failure;
use crate::forwarded::Forwarding;
use crate::handler::Handler;
use crate::hash::{self, Hashed};
use crate::http2_upstream::SharedBody;
use crate::record::Draft;
use crate::response::{self, Timing};
use crate::send::Outgoing;
use crate::snapshot::{Snapshot, Speaks};

impl<R: PluginRuntime> Handler<R> {
    /// Sends a request to its upstream, trying again where that is safe.
    pub(crate) async fn forward(
        &self,
        exchange: &mut Exchange,
        way: Way<'_, '_, R>,
        snapshot: &Snapshot<R>,
        mut draft: Option<&mut Draft>,
    ) -> Answer {
        let Way { body, mut found, started, request_id } = way;
        let options = &self.worker.options;
        // Plugins may see it, but it is between the client and the gateway.
        exchange.request.headers.remove(header::EXPECT);
        let altered;
        let mut upstream = found.route.upstream.as_deref();
        let mut wanted_host = None;
        if let Some(edits) = exchange.edits.take() {
            // In a function of its own, which requests without edits do not pay for.
            match self.alter(exchange, *edits, &mut found, snapshot) {
                Ok(edited) => {
                    wanted_host = edited.host;
                    altered = edited.upstream;
                    upstream = altered.as_ref().or(upstream);
                }
                Err(failure) => {
                    self.deadline.leftover.put(body.into_rest());
                    return Answer::from_failure(failure, exchange, options.error_default_type);
                }
            }
        }
        let Some(upstream) = upstream else {
            self.deadline.leftover.put(body.into_rest());
            return Answer::from_failure(Failure::NoService, exchange, options.error_default_type);
        };
        if upstream.speaks == Speaks::Nothing {
            self.deadline.leftover.put(body.into_rest());
            tracing::warn!(upstream = %upstream.authority, "requests cannot be forwarded in the service's protocol");
            return Answer::from_failure(Failure::Internal, exchange, options.error_default_type);
        }
        let host = match found.route.preserve_host {
            _ if wanted_host.is_some() => wanted_host,
            true => exchange.request.headers.get(header::HOST).cloned(),
            false => None,
        };
        let mut chosen = match &upstream.balancer {
            None => None,
            Some(balancer) => {
                let (settings, captures) = (balancer.settings(), found.captures.as_deref());
                let hashed = match settings.algorithm {
                    Algorithm::ConsistentHashing => {
                        hash::of(settings, exchange, captures, || self.worker.random())
                    }
                    _ => Hashed::default(),
                };
                match self.worker.choose(balancer, upstream, hashed).await {
                    Ok(chosen) => Some(chosen),
                    Err(failure) => {
                        self.deadline.leftover.put(body.into_rest());
                        return Answer::from_failure(failure, exchange, options.error_default_type);
                    }
                }
            }
        };
        let keeps_host = host.is_some();
        let forwarding = Forwarding {
            peer: &self.peer,
            client: exchange.client.address,
            host: host.unwrap_or_else(|| match &chosen {
                Some(chosen) => chosen.pick.host_header(upstream.default_port).clone(),
                None => upstream.host_header.clone(),
            }),
            prefix: found.prefix,
            request_id,
            websocket: found.websocket,
        };

        if let Some(draft) = &mut draft {
            draft.upstream_uri = Some(found.target.to_string());
            let authority = chosen.as_ref().map_or(&upstream.authority, |chosen| chosen.pick.authority());
            draft.target = authority.parse::<SocketAddr>().is_ok().then(|| authority.to_string());
        }
        let streams = upstream.speaks == Speaks::Http2 || !found.route.request_buffering;
        let body = match body {
            // In a box, so that requests without a body do not carry what it needs.
            Source::Client(body) if !streams => {
                match Box::pin(self.body_for(upstream, &exchange.request, body)).await {
                    Ok(body) => body,
                    Err(failure) => {
                        self.deadline.work();
                        return Answer::from_failure(failure, exchange, options.error_default_type);
                    }
                }
            }
            body => body,
        };
        let sent = self.worker.clock.look();
        let gateway = sent.duration_since(started);
        let head = &exchange.request;
        let outgoing =
            Outgoing { upstream, head, forwarding, target: found.target, body, keeps_host, now: sent };
        if upstream.speaks == Speaks::Http2 {
            let result = Box::pin(self.send_http2(outgoing, chosen.as_deref_mut())).await;
            let cookie = chosen.as_mut().and_then(|chosen| chosen.cookie.take());
            let now = self.worker.clock.look();
            let timing = Some(Timing::Proxied { gateway, upstream: now.duration_since(sent) });
            let mut answer = match result {
                Ok(response) => {
                    note_answer(exchange, draft, response.status());
                    let (mut head, incoming) = response.into_parts();
                    head.version = Version::HTTP_11;
                    response::drop_repeated(&mut head.headers);
                    if options.headers.upstream_status {
                        response::tell_upstream_status(&mut head);
                    }
                    let read_timeout = Duration::from_millis(upstream.read_timeout);
                    self.deadline.wait(now, read_timeout);
                    let authority =
                        chosen.as_ref().map_or(&upstream.authority, |chosen| chosen.pick.authority());
                    let body = SharedBody {
                        incoming,
                        authority: Arc::clone(authority),
                        id: exchange.id,
                        deadline: Rc::clone(&self.deadline),
                        clock: Rc::clone(&self.worker.clock),
                        read_timeout,
                        idle_timeout: options.client_idle_timeout,
                        _pick: chosen.map(|chosen| chosen.pick),
                    };
                    Answer { head, body: ResponseBody::Shared(body), timing }
                }
                Err(failure) => {
                    self.deadline.work();
                    let answer = Answer::from_failure(failure, exchange, options.error_default_type);
                    Answer { timing: timing.filter(|_| failure.is_proxied()), ..answer }
                }
            };
            if let Some(cookie) = cookie {
                answer.head.headers.append(header::SET_COOKIE, cookie);
            }
            return answer;
        }
        let result = self.send(outgoing, chosen.as_deref_mut()).await;
        let cookie = chosen.as_mut().and_then(|chosen| chosen.cookie.take());
        let now = self.worker.clock.look();
        let timing = Timing::Proxied { gateway, upstream: now.duration_since(sent) };
        let mut answer = match result {
            Ok((head, connection)) if head.status == StatusCode::SWITCHING_PROTOCOLS => {
                let timeout = found.websocket.then_some(Duration::from_millis(upstream.read_timeout));
                let timing = Some(timing);
                match self.leave_http(head, *connection, timeout) {
                    Some(head) => Answer { head, body: ResponseBody::Full(Bytes::new()), timing },
                    None => {
                        let (failure, form) = (Failure::BadGateway, options.error_default_type);
                        Answer { timing, ..Answer::from_failure(failure, exchange, form) }
                    }
                }
            }
            Ok((mut head, mut connection)) => {
                note_answer(exchange, draft, head.status);
                if head.version == Version::HTTP_10 {
                    // Would be spoken to in HTTP/1.0 from now on, which knows no chunked bodies.
                    connection.http.retire();
                    head.version = Version::HTTP_11;
                }
                if connection.http.announces_trailers() && !exchange.request.headers.contains_key(header::TE)
                {
                    // The client did not say that it takes any.
                    head.headers.remove(header::TRAILER);
                }
                response::drop_repeated(&mut head.headers);
                if options.headers.upstream_status {
                    response::tell_upstream_status(&mut head);
                }
                let read_timeout = Duration::from_millis(upstream.read_timeout);
                self.deadline.wait(now, read_timeout);
                let authority = connection.pool(match &chosen {
                    Some(chosen) => chosen.pick.authority(),
                    None => &upstream.authority,
                });
                let lease = Lease {
                    connection,
                    authority,
                    id: exchange.id,
                    _pick: chosen.map(|chosen| chosen.pick),
                    pool: Rc::clone(&self.worker.pool),
                    deadline: Rc::clone(&self.deadline),
                    clock: Rc::clone(&self.worker.clock),
                    read_timeout,
                    idle_timeout: options.client_idle_timeout,
                };
                Answer { head, body: ResponseBody::upstream(lease), timing: Some(timing) }
            }
            Err(failure) => {
                self.deadline.work();
                let answer = Answer::from_failure(failure, exchange, options.error_default_type);
                Answer { timing: failure.is_proxied().then_some(timing), ..answer }
            }
        };
        if let Some(cookie) = cookie {
            answer.head.headers.append(header::SET_COOKIE, cookie);
        }
        answer
    }
}
