package infobip

import (
	"github.com/chasqui/chasqui/internal/gateway"
	"net/http"
)

// createChat makes an application of OMNI Chat, which is another name for a connected page, with a
// URL of its own for what people write. Which page it is need not be said where there is one only;
// `application` is this gateway's own.
func (s *Server) createChat(q *request) error {
	var in struct {
		Name        string `json:"name"`
		WebhookURL  string `json:"webhookUrl"`
		Application string `json:"application"`
	}
	if err := q.decode(&in); err != nil {
		return err
	}
	if in.Name == "" || len(in.Name) > 200 {
		return gateway.Invalid("name", "must have 1 to 200 bytes")
	}
	page, err := q.page(in.Application)
	if err != nil {
		return err
	}
	c, err := s.o.Records.CreateConfiguration(q.Context(), q.Key, page, in.Name)
	if err != nil {
		return err
	}
	if in.WebhookURL != "" {
		if _, err := s.o.Records.CreateAction(q.Context(), q.Key, c, in.WebhookURL, ""); err != nil {
			if gone := s.o.Records.DeleteConfiguration(q.Context(), q.Key, c); gone != nil {
				return gone
			}
			return webhookURL(err)
		}
	}
	return q.Reply(http.StatusOK, struct {
		Key  string `json:"key"`
		Name string `json:"name"`
	}{c.Key, c.Name})
}

// webhookURL names the member that is at fault as it is called here.
func webhookURL(err error) error {
	if e, ok := asError(err); ok && e.Field == "url" {
		return e.WithField("webhookUrl")
	}
	return err
}

// page returns the key of the application that is named, or else of the only one there is.
func (q *request) page(named string) (string, error) {
	if named != "" {
		a, err := q.s.o.Applications.Get(q.Context(), q.Key, named)
		if gateway.CodeOf(err) == gateway.CodeNotFound {
			return "", gateway.Invalid("application", "there is no application %q", named)
		}
		if err != nil {
			return "", err
		}
		return a.Key, nil
	}
	all, err := q.s.o.Applications.List(q.Context(), q.Key)
	if err != nil {
		return "", err
	}
	if len(all) != 1 {
		return "", gateway.Invalid("application", "%d pages are connected: name the key of one", len(all))
	}
	return all[0].Key, nil
}

// sendChat sends to a person of an application, over FACEBOOK. The key in the path is that of an
// application of OMNI Chat, or of a connected page.
func (s *Server) sendChat(q *request) error {
	var in struct {
		singleMessage
		Message content `json:"message"`
	}
	if err := q.decode(&in); err != nil {
		return err
	}
	c, err := s.o.Records.Chat(q.Context(), q.Key, q.PathValue("key"))
	switch {
	case err == nil:
		in.From = c.Application
	case gateway.CodeOf(err) != gateway.CodeNotFound:
		return err
	default:
		a, err := q.application()
		if err != nil {
			return err
		}
		in.From = a.Key
	}
	in.singleMessage.content, in.Destinations = in.Message, nil
	out, err := s.outgoing(&in.singleMessage)
	if err != nil {
		return err
	}
	if len(out) != 1 {
		return gateway.Invalid("to", "must be one user key")
	}
	sent, err := q.accept(in.BulkID, out)
	if err != nil {
		return err
	}
	return q.Reply(http.StatusOK, sent.Messages[0])
}
