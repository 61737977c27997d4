package messenger_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/chasqui/chasqui/messenger"
)

func FuzzVerify(f *testing.F) {
	body := []byte(genuineBody)
	f.Add("sesame", body, messenger.Sign("sesame", body))
	f.Add("sesame", body, messenger.SignSHA1("sesame", body))
	f.Add("", []byte{}, "sha256=")
	f.Add("s", body, "sha256="+strings.Repeat("0", 64))
	f.Fuzz(func(t *testing.T, secret string, body []byte, header string) {
		for _, sha1 := range []bool{false, true} {
			verify, sign := messenger.Verify, messenger.Sign
			if sha1 {
				verify, sign = messenger.VerifySHA1, messenger.SignSHA1
			}
			right := sign(secret, body)
			err := verify(secret, body, header)
			if (err == nil) != (header == right) {
				t.Fatalf("header %q, error %v", header, err)
			}
			if err != nil && (!errors.Is(err, messenger.ErrSignature) || strings.Contains(err.Error(), right)) {
				t.Fatalf("error %v", err)
			}
			if err := verify(secret, body, right); err != nil {
				t.Fatalf("its own signature: %v", err)
			}
		}
	})
}

func FuzzErrorBody(f *testing.F) {
	f.Add(400, []byte(`{"error":{"message":"(#10) no","type":"OAuthException","code":10,"error_subcode":2018278,"fbtrace_id":"A"}}`))
	f.Add(200, []byte(`{"error":{"code":36000}}`))
	f.Add(200, []byte(`{"error":null,"message_id":"m"}`))
	f.Add(500, []byte(`<html>`))
	f.Add(503, []byte(``))
	f.Add(400, []byte(`{"error":"text"}`))
	f.Add(400, []byte(`{"error":{"code":1e99,"error_subcode":{},"message":["x"]}}`))
	f.Add(400, []byte("{\"error\":{\"message\":\"EAAtesttoken\"}}"))
	status, body := 0, []byte(nil)
	transport := roundTrip(func(r *http.Request) (*http.Response, error) {
		w := httptest.NewRecorder()
		w.WriteHeader(status)
		w.Write(body)
		return w.Result(), nil
	})
	c, err := messenger.New(testToken, messenger.WithHTTPClient(&http.Client{Transport: transport}))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s int, b []byte) {
		if s < 200 || s > 599 {
			return
		}
		status, body = s, b
		_, err := c.Send(t.Context(), hello)
		if err == nil {
			if s > 299 {
				t.Fatalf("status %d is not an error", s)
			}
			return
		}
		text := err.Error()
		var refused *messenger.Error
		if errors.As(err, &refused) {
			text += string(refused.Body) + refused.Message
			if refused.Status != s || refused.Verdict().Action == "" || len(refused.Body) > 4<<10 {
				t.Fatalf("refusal %+v", refused)
			}
		}
		if strings.Contains(text, testToken) {
			t.Fatalf("the token stands in %q", text)
		}
		if utf8.Valid(b) && !utf8.ValidString(err.Error()) {
			t.Fatalf("text %q", err.Error())
		}
	})
}

// FuzzAnswers gives any body as the answer to calls of each shape: an object, a
// list, a batch, an upload. None may panic, and a batch gives every item an
// answer or an error.
func FuzzAnswers(f *testing.F) {
	for _, body := range []string{
		`{"recipient_id":"1","message_id":"m_1"}`, `{"recipient_id":1,"message_id":null}`, `{"data":[{"id":"1"}],"paging":{"cursors":{"after":"a"},"next":"https://x/"}}`,
		`{"data":[null,5,{"id":{}}],"paging":[]}`, `[{"code":200,"headers":[],"body":"{\"id\":\"1\"}"},null]`, `[{"code":400,"body":"{\"error\":{\"code\":190}}"},{"code":"x"}]`,
		`[{"code":-1,"body":{"a":1}},5]`, `[`, `null`, `""`, `{"data":{"app_id":5,"error":{"code":190},"scopes":null}}`, `{"data":[{"values":[{"value":{"a":1},"end_time":1}]}]}`, `{"attachment_id":1601472827243653}`,
		`{"result":"success"}`, "{\"\x00\":\"\",\"message_id\":\"0\"}", "\xff\xfe", strings.Repeat("[", 20000),
	} {
		f.Add([]byte(body))
	}
	body := []byte(nil)
	transport := roundTrip(func(r *http.Request) (*http.Response, error) {
		if r.Body != nil {
			if _, err := io.Copy(io.Discard, r.Body); err != nil {
				return nil, err
			}
		}
		w := httptest.NewRecorder()
		w.Write(body)
		return w.Result(), nil
	})
	c, err := messenger.New(testToken, messenger.WithHTTPClient(&http.Client{Transport: transport}), messenger.WithAppSecret("s"))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		body = b
		ctx := t.Context()
		if sent, err := c.Send(ctx, hello); err == nil && !json.Valid(b) {
			t.Fatalf("%q was read as %+v", b, sent)
		}
		c.UserProfile(ctx, "1")
		c.DebugToken(ctx, "EAAother")
		c.MessengerProfile(ctx, "greeting")
		seen := 0
		for range c.AllConversations(ctx, messenger.ConversationsRequest{}) {
			if seen++; seen > 100 {
				break
			}
		}
		batch := c.NewBatch()
		items := []*messenger.BatchItem[messenger.SendResult]{batch.Send(hello), batch.Send(hello)}
		batch.Do(ctx)
		for i, item := range items {
			if sent, err := item.Result(); err == nil && sent.MessageID == "" && sent.RecipientID == "" && !json.Valid(b) {
				t.Fatalf("item %d of %q", i, b)
			}
		}
	})
}

// FuzzHandler posts any body with any header to a handler of webhooks: events
// come of what is signed, and of nothing else.
func FuzzHandler(f *testing.F) {
	f.Add([]byte(genuineBody), "", "")
	f.Add([]byte(`{"object":"page","entry":[{"messaging":null}]}`), "sha256=", "hub.mode=subscribe")
	f.Add([]byte(``), "sha256=00", "hub.mode=subscribe&hub.verify_token=v&hub.challenge=%3Cscript%3E")
	f.Fuzz(func(t *testing.T, body []byte, signature, query string) {
		events := 0
		h := &messenger.Handler{AppSecrets: []string{"sesame"}, VerifyToken: "v", Receive: func(context.Context, messenger.Webhook) error { events++; return nil }}
		post := func(signature string) int {
			r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
			r.Header.Set(messenger.SignatureHeader, signature)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			return w.Code
		}
		if right := messenger.Sign("sesame", body); signature != right {
			if code := post(signature); code < 400 || events > 0 {
				t.Fatalf("status %d and %d deliveries without a signature", code, events)
			}
		}
		post(messenger.Sign("sesame", body))
		r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
		r.URL.RawQuery = query
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code == http.StatusOK && (r.URL.Query().Get("hub.verify_token") != "v" || strings.Contains(w.Header().Get("Content-Type"), "html")) {
			t.Fatalf("%q was verified, as %q", query, w.Header().Get("Content-Type"))
		}
	})
}
