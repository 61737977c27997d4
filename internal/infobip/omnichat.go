package infobip

import "github.com/chasqui/chasqui/internal/gateway"

// sendChat is the one call of OMNI Chat that there is: a message to a person of an application, over FACEBOOK.
func (s *Server) sendChat(q *request) error {
	var in struct {
		singleMessage
		Message content `json:"message"`
	}
	if err := q.decode(&in); err != nil {
		return err
	}
	a, err := q.application()
	if err != nil {
		return err
	}
	in.From, in.singleMessage.content, in.Destinations = a.Key, in.Message, nil
	out, err := s.outgoing(&in.singleMessage)
	if err != nil {
		return err
	}
	if len(out) != 1 {
		return gateway.Invalid("to", "must be one user key")
	}
	sent, err := q.accept(apiFacebook, in.BulkID, out)
	if err != nil {
		return err
	}
	return q.reply(sent.Messages[0])
}
