package messenger_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/chasqui/chasqui/messenger"
)

// textEvent is a delivery of one text message as it comes today.
const textEvent = `{"object":"page","entry":[{"id":"1717527131834678","time":1475942721780,"messaging":[{"sender":{"id":"1256217357730577"},"recipient":{"id":"1717527131834678"},"timestamp":1475942721741,"message":{"mid":"m_qr6GPBlzTU4jqP0PBqaIoIAcfn2p3T7uiO5jm0L_PMTKMJhEIUGFkEKQBhGkpCnPXVZNsYdkN7A2Sel0dOz_Iw","text":"hello there, when do you open?"}}]}]}`

// plainWebhook is what a program without this package would decode into.
type plainWebhook struct {
	Object string `json:"object"`
	Entry  []struct {
		ID        string `json:"id"`
		Time      int64  `json:"time"`
		Messaging []struct {
			Sender struct {
				ID string `json:"id"`
			} `json:"sender"`
			Recipient struct {
				ID string `json:"id"`
			} `json:"recipient"`
			Timestamp int64 `json:"timestamp"`
			Message   struct {
				MID  string `json:"mid"`
				Text string `json:"text"`
			} `json:"message"`
		} `json:"messaging"`
	} `json:"entry"`
}

func BenchmarkParse(b *testing.B) {
	body := []byte(textEvent)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		w, err := messenger.Parse(body)
		if err != nil || w.Events[0].Message.Text == "" {
			b.Fatal("not parsed", err)
		}
	}
}

// BenchmarkPlainUnmarshal is what BenchmarkParse is compared with.
func BenchmarkPlainUnmarshal(b *testing.B) {
	body := []byte(textEvent)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		var w plainWebhook
		if err := json.Unmarshal(body, &w); err != nil || w.Entry[0].Messaging[0].Message.Text == "" {
			b.Fatal("not decoded", err)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	body := []byte(textEvent)
	header := messenger.Sign(testSecret, body)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if err := messenger.Verify(testSecret, body, header); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	req := messenger.SendRequest{
		Recipient: messenger.Recipient{ID: "5275811702471834"}, MessagingType: messenger.TypeResponse,
		Message: messenger.TextMessage("hello there, this is a message").WithQuickReplies(messenger.TextReply("Yes", "YES"), messenger.TextReply("No", "NO")),
	}
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		out, err := req.AppendJSON(buf[:0])
		if err != nil {
			b.Fatal(err)
		}
		buf = out
	}
}

// sendAnswer is the platform's answer to a message.
const sendAnswer = `{"recipient_id":"5275811702471834","message_id":"m_qr6GPBlzTU4jqP0PBqaIoIAcfn2p3T7uiO5jm0L_PMTKMJhEIUGFkEKQBhGkpCnPXVZNsYdkN7A2Sel0dOz_Iw"}`

func answering(b *testing.B) string {
	b.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, sendAnswer)
	}))
	b.Cleanup(srv.Close)
	return srv.URL
}

func BenchmarkSendLoopback(b *testing.B) {
	c, err := messenger.New(testToken, messenger.WithAppSecret(testSecret), messenger.WithBaseURL(answering(b)))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Send(b.Context(), hello); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkBareLoopback is what BenchmarkSendLoopback is compared with: the same
// bytes with nothing but net/http.
func BenchmarkBareLoopback(b *testing.B) {
	url := answering(b) + "/" + messenger.DefaultVersion + "/me/messages"
	body, err := hello.MarshalJSON()
	if err != nil {
		b.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
	b.ReportAllocs()
	for b.Loop() {
		req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, url, bytes.NewReader(body))
		if err != nil {
			b.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+testToken)
		req.Header.Set("Content-Type", "application/json")
		resp, err := client.Do(req)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != http.StatusOK {
			b.Fatal(resp.Status, err)
		}
		resp.Body.Close()
	}
}
