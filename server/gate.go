package server

import (
	"bytes"

	"github.com/valyala/fasthttp"

	"coverd/server/api"
)

// gated lets through what RFC 9112 allows and fasthttp's parser is looser
// about: a request that two servers in a row may read differently is answered
// by neither. What is refused closes its connection.
func (s *Server) gated(next fasthttp.RequestHandler) fasthttp.RequestHandler {
	return func(ctx *fasthttp.RequestCtx) {
		if code, detail := fault(&ctx.Request.Header); code != "" {
			p := api.Problem{Code: code, Detail: detail}
			if code != api.MethodNotAllowed {
				s.refuse(ctx, &p)
				return
			}
			r, _ := match(ctx.URI().PathOriginal())
			p.Hint = useMethods(r.methods())
			s.refuse(ctx, &p)
			ctx.Response.Header.Set(fasthttp.HeaderAllow, r.methods())
			return
		}
		next(ctx)
	}
}

const maxFields = 64

// fault says what is wrong with a request's head, if anything is.
func fault(h *fasthttp.RequestHeader) (code, detail string) {
	switch string(h.Method()) {
	case "GET", "HEAD", "POST", "OPTIONS":
	default:
		return api.MethodNotAllowed, "the method is not taken anywhere here"
	}
	switch string(h.Protocol()) {
	case "HTTP/1.1", "HTTP/1.0":
	default:
		return api.VersionNotSupported, "the request is of another version of HTTP"
	}
	if expect := h.Peek(fasthttp.HeaderExpect); len(expect) > 0 && !bytes.EqualFold(expect, []byte("100-continue")) {
		return api.ExpectationFailed, "nothing but 100-continue may be expected"
	}
	if detail := targetFault(originForm(h.RequestURI(), h.Host())); detail != "" {
		return api.BadRequest, detail
	}
	if bytes.IndexByte(h.Host(), '@') >= 0 {
		return api.BadRequest, "there is user information in the host"
	}
	return fieldsFault(h)
}

// originForm is a request target without the scheme and host that clients of
// proxies put before it, if the host is the one that the request is for (RFC
// 9112, 3.2.2).
func originForm(target, host []byte) []byte {
	const scheme = "http://"
	n := len(scheme) + len(host)
	if len(host) == 0 || len(target) < n || !bytes.EqualFold(target[:len(scheme)], []byte(scheme)) || !bytes.EqualFold(target[len(scheme):n], host) {
		return target
	}
	return target[n:]
}

// targetFault says what is wrong with a request target, if anything is: its
// path goes to no file, but a proxy before us may think otherwise. A query has
// slashes of its own: flats are called 2/1.
func targetFault(target []byte) string {
	if len(target) == 0 || target[0] != '/' {
		return "the request target is not a path on this host"
	}
	path, _, _ := bytes.Cut(target, []byte("?"))
	for i, c := range target {
		switch {
		case c < 0x21 || c > 0x7e:
			return "there is a character in the request target that has to be percent-encoded"
		case c == '#' || c == '\\':
			return "there is a fragment or a backslash in the request target"
		case c == '%':
			v, ok := percent(target[i+1:])
			if !ok {
				return "there is a percent sign in the request target that encodes nothing"
			}
			if v < 0x20 || v == 0x7f {
				return "there is an encoded control character in the request target"
			}
			if i < len(path) && (v == '/' || v == '\\') {
				return "there is an encoded slash in the path"
			}
		}
	}
	if bytes.Contains(path, []byte("//")) || bytes.Contains(path, []byte("/./")) || bytes.Contains(path, []byte("/../")) ||
		bytes.HasSuffix(path, []byte("/.")) || bytes.HasSuffix(path, []byte("/..")) || bytes.Contains(path, []byte("%2e")) || bytes.Contains(path, []byte("%2E")) {
		return "there are empty or dot segments in the path"
	}
	return ""
}

// percent reads the two digits after a percent sign.
func percent(b []byte) (v byte, ok bool) {
	if len(b) < 2 {
		return 0, false
	}
	for _, c := range b[:2] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		v = v<<4 | c
	}
	return v, true
}

// fieldsFault goes over the raw header once.
func fieldsFault(h *fasthttp.RequestHeader) (code, detail string) {
	var length, coding bool
	fields := 0
	for raw := h.RawHeaders(); len(raw) > 0; fields++ {
		var line []byte
		line, raw, _ = bytes.Cut(raw, []byte("\n"))
		line, whole := bytes.CutSuffix(line, []byte("\r"))
		if !whole {
			return api.BadRequest, "a header does not end with CR and LF"
		}
		if len(line) == 0 {
			break
		}
		if line[0] == ' ' || line[0] == '\t' {
			return api.BadRequest, "a header is folded"
		}
		name, _, _ := bytes.Cut(line, []byte(":"))
		for _, c := range name {
			if !isToken(c) {
				return api.BadRequest, "the name of a header is not a token"
			}
		}
		length = length || bytes.EqualFold(name, []byte("Content-Length"))
		coding = coding || bytes.EqualFold(name, []byte("Transfer-Encoding"))
	}
	switch {
	case fields > maxFields:
		return api.HeaderTooLarge, "there are more than 64 headers"
	case coding && length:
		return api.BadRequest, "Transfer-Encoding and Content-Length contradict each other"
	case coding:
		return api.LengthRequired, "bodies are taken with a Content-Length only"
	}
	return "", ""
}

// isToken reports whether c may stand in the name of a header (RFC 9110, 5.6.2).
func isToken(c byte) bool {
	switch {
	case c >= '0' && c <= '9', c|0x20 >= 'a' && c|0x20 <= 'z':
		return true
	}
	return bytes.IndexByte([]byte("!#$%&'*+-.^_`|~"), c) >= 0
}
