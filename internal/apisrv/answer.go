package apisrv

import (
	"encoding/json"
	"fmt"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/internal/face"
	"github.com/chasqui/chasqui/internal/gateway"
)

// reply answers with a value as JSON, by its own encoder where it has one.
func (q *request) reply(status int, v any) error {
	m, ok := v.(*message)
	if !ok {
		return q.Reply(status, v)
	}
	body, err := m.encode()
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	return q.ReplyBody(status, body)
}

// problem puts an error into the API's own shape.
func problem(r *face.Request, err error) face.Problem {
	e := face.Internal(err)
	body, err := json.Marshal(gatewayapi.ErrorBody{Error: *shownError(e, r.ID)})
	if err != nil {
		body = []byte(`{}`)
	}
	return face.Problem{Status: e.Code.Status(), Body: body}
}

func shownError(e *gateway.Error, requestID string) *gatewayapi.Error {
	return &gatewayapi.Error{Code: e.Code, Message: e.Message, Field: e.Field, RequestID: requestID}
}
