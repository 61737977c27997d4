package messenger_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/chasqui/chasqui/messenger"
)

const genuineBody = `{"object":"page","entry":[{"id":"1717527131834678","time":1475942721780,"messaging":[{"sender":{"id":"1256217357730577"},"recipient":{"id":"1717527131834678"},"timestamp":1475942721741,"message":{"mid":"mid.1475942721728:3b9e3646712f9bed52","seq":123,"text":"34wrr3wr"}}]}]}`

func TestSignKnownAnswers(t *testing.T) {
	t.Parallel()
	tests := []struct{ secret, body, want string }{
		{"sesame", "hello world", "sha256=f39034b29165ec6a5104d9aef27266484ab26c8caa7bca8bcb2dd02e8be61b17"},
		{"sesame", "hello world2", "sha256=60905fdf409d0b4f721e99f6f25b31567a68a6b45e933d814e17a246be4c5a53"},
	}
	for _, tt := range tests {
		if got := messenger.Sign(tt.secret, []byte(tt.body)); got != tt.want {
			t.Errorf("Sign(%q) = %s", tt.body, got)
		}
		if err := messenger.Verify(tt.secret, []byte(tt.body), tt.want); err != nil {
			t.Errorf("Verify(%q): %v", tt.body, err)
		}
	}
	// A genuine delivery of 2016.
	const secret, want = "60efff025951cddde78c8d03de52cc90", "sha1=3daa41999293ff66c3eb313e04bcf77861bb0276"
	if got := messenger.SignSHA1(secret, []byte(genuineBody)); got != want {
		t.Errorf("SignSHA1 = %s", got)
	}
	if err := messenger.VerifySHA1(secret, []byte(genuineBody), want); err != nil {
		t.Errorf("VerifySHA1: %v", err)
	}
}

func TestVerifyRefuses(t *testing.T) {
	t.Parallel()
	good := messenger.Sign("sesame", []byte("hello world"))
	tests := []struct {
		name, secret, body, header string
		want                       error
	}{
		{"missing", "sesame", "hello world", "", messenger.ErrSignatureMissing},
		{"other secret", "Sesame", "hello world", good, messenger.ErrSignatureMismatch},
		{"other body", "sesame", "hello world ", good, messenger.ErrSignatureMismatch},
		{"upper case", "sesame", "hello world", "sha256=" + strings.ToUpper(good[7:]), messenger.ErrSignatureMismatch},
		{"no prefix", "sesame", "hello world", good[7:], messenger.ErrSignatureMalformed},
		{"cut", "sesame", "hello world", good[:70], messenger.ErrSignatureMalformed},
		{"longer", "sesame", "hello world", good + "0", messenger.ErrSignatureMalformed},
		{"sha1", "sesame", "hello world", messenger.SignSHA1("sesame", []byte("hello world")), messenger.ErrSignatureMalformed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := messenger.Verify(tt.secret, []byte(tt.body), tt.header)
			if !errors.Is(err, tt.want) || !errors.Is(err, messenger.ErrSignature) {
				t.Fatalf("error %v, want %v", err, tt.want)
			}
			if strings.Contains(err.Error(), good[7:]) || strings.Contains(err.Error(), tt.secret) {
				t.Errorf("the error gives the signature or the secret away: %v", err)
			}
		})
	}
}

func TestChallenge(t *testing.T) {
	t.Parallel()
	query := func(mode, token, challenge string) url.Values {
		return url.Values{"hub.mode": {mode}, "hub.verify_token": {token}, "hub.challenge": {challenge}}
	}
	got, err := messenger.Challenge(query("subscribe", "secret", "1158201444"), "secret")
	if err != nil || got != "1158201444" {
		t.Errorf("challenge %q, error %v", got, err)
	}
	for _, q := range []url.Values{query("subscribe", "other", "1"), query("unsubscribe", "secret", "1"), query("", "secret", "1"), {}} {
		if _, err := messenger.Challenge(q, "secret"); !errors.Is(err, messenger.ErrChallenge) {
			t.Errorf("Challenge(%v): error %v", q, err)
		}
	}
	if _, err := messenger.Challenge(query("subscribe", "", "1"), ""); err == nil {
		t.Error("an empty verify token was accepted")
	}
}
