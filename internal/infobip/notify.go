package infobip

import (
	"net/url"
	"strings"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/infobip/wire"
	"github.com/chasqui/chasqui/internal/reach"
)

const maxCallbackData = 4000 // characters

// notice says what is to be told of messages, and where.
type notice struct {
	Notify             *bool  `json:"notify"`
	IntermediateReport bool   `json:"intermediateReport"`
	NotifyURL          string `json:"notifyUrl"`
	NotifyContentType  string `json:"notifyContentType"`
	CallbackData       string `json:"callbackData"`
}

// note makes what is kept with each of the messages. allowed is where reports may be posted beside
// public addresses.
func (n *notice) note(api string, allowed *reach.Allowed) (wire.Note, error) {
	out := wire.Note{API: api, CallbackData: n.CallbackData}
	if err := checkCallbackData(n.CallbackData); err != nil {
		return out, err
	}
	switch kind := strings.ToLower(n.NotifyContentType); {
	case strings.Contains(kind, "xml"):
		out.XML = true
	case kind != "" && !strings.Contains(kind, "json"):
		return out, gateway.Invalid("notifyContentType", "%q is neither application/json nor application/xml", n.NotifyContentType)
	}
	if n.NotifyURL == "" {
		out.XML = false
		return out, nil
	}
	u, err := url.Parse(n.NotifyURL)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || len(n.NotifyURL) > 2000 {
		return out, gateway.Invalid("notifyUrl", "must be an https or http address of at most 2000 bytes")
	}
	if allowed.Check(n.NotifyURL) != nil {
		return out, gateway.Invalid("notifyUrl", "leads to a private or reserved address, which the setting forward.allowPrivate does not allow")
	}
	if n.Notify == nil || *n.Notify {
		out.NotifyURL, out.Intermediate = n.NotifyURL, n.IntermediateReport
	}
	return out, nil
}

func checkCallbackData(data string) error {
	if len(data) > maxCallbackData && len([]rune(data)) > maxCallbackData {
		return gateway.Invalid("callbackData", "may have %d characters", maxCallbackData)
	}
	return nil
}
