package reach

import (
	"errors"
	"net"
	"testing"
	"time"
)

// What may be reached with a setting, and what may not.
func TestAddresses(t *testing.T) {
	t.Parallel()
	metadata := []string{"169.254.169.254", "169.254.1.1", "[fe80::1]", "[fe80::1%25eth0]", "[fd00:ec2::254]", "[fd20:ce::254]", "100.100.100.200", "168.63.129.16", "192.0.0.192", "[::ffff:169.254.169.254]",
		"[64:ff9b::a9fe:a9fe]", "[2002:a9fe:a9fe::1]", "[::a9fe:a9fe]", "0.0.0.0", "[::]", "224.0.0.1", "255.255.255.255", "[ff02::1]"}
	odd := []string{"2130706433", "0x7f000001", "0x7f.1", "127.1", "0177.0.0.1", "10.1"}
	all := "0.0.0.0/0,::/0"
	for _, test := range []struct {
		setting  string
		yes, not []string
	}{
		{"", []string{"93.184.216.34", "[2606:4700::1111]", "example.com", "4sms.example", "a.b-c.example."},
			append([]string{"127.0.0.1", "localhost", "a.localhost", "LOCALHOST.", "[::1]", "10.0.0.1", "192.168.1.1", "172.31.0.1", "100.64.0.1", "[fd12::1]", "[::ffff:10.0.0.1]", "[64:ff9b::a00:1]"}, append(odd, metadata...)...)},
		{"false", nil, []string{"10.0.0.1", "localhost"}},
		{"true", []string{"127.0.0.1", "localhost", "[::1]", "10.0.0.1", "192.168.1.1", "172.31.0.1", "[fd12::1]"}, append([]string{"100.64.0.1", "[64:ff9b::a00:1]", "172.32.0.1:0"}[:2], append(odd, metadata...)...)},
		{"10.1.0.0/16, 192.168.7.7,mail.internal", []string{"10.1.2.3", "192.168.7.7", "mail.internal", "MAIL.internal."}, append([]string{"10.2.0.1", "192.168.7.8", "127.0.0.1"}, metadata...)},
		{all, []string{"10.0.0.1", "127.0.0.1", "100.64.0.1"}, metadata},
		{"localhost:25", nil, []string{"localhost"}},
	} {
		a, err := Parse(test.setting)
		if err != nil {
			t.Fatalf("%q: %v", test.setting, err)
		}
		for _, host := range test.yes {
			if err := a.Check("https://" + host + "/x"); err != nil {
				t.Errorf("%q: %s: %v", test.setting, host, err)
			}
		}
		for _, host := range test.not {
			if err := a.Check("http://" + host + ":8080/x"); !errors.Is(err, ErrRefused) {
				t.Errorf("%q: %s: %v", test.setting, host, err)
			}
		}
	}
	for _, bad := range []string{"10.0.0.0/33", "a b", "http://x", "10.1", "*.example", "yes please"} {
		if _, err := Parse(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

// A connection is judged by the address it goes to, whatever name led there.
func TestDial(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	_, port, _ := net.SplitHostPort(l.Addr().String())
	for setting, want := range map[string]bool{"": false, "true": true, "127.0.0.0/8": true, "10.0.0.0/8": false, "localhost": true, "localhost:" + port: true, "localhost:1": false} {
		a, err := Parse(setting)
		if err != nil {
			t.Fatal(err)
		}
		c, err := a.DialContext(10*time.Second)(t.Context(), "tcp4", "localhost:"+port)
		if err == nil {
			c.Close()
		}
		if (err == nil) != want || err != nil && !errors.Is(err, ErrRefused) {
			t.Errorf("%q: %v", setting, err)
		}
	}
	if c, err := new(Allowed).WithLoopback().DialContext(10*time.Second)(t.Context(), "tcp4", "localhost:"+port); err != nil {
		t.Error(err)
	} else {
		c.Close()
	}
}
