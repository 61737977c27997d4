package apisrv

import (
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/internal/gateway"
)

// handler is what answers a route. It is made of a function by takes, takesOnly, answers, does or
// writes, so that the bodies of the route's description are those of the function's signature.
type handler struct {
	request reflect.Type // of the JSON body; nil for none
	answer  reflect.Type // of the JSON body of success; nil for none
	handle  func(q *request, status int) error
}

// takes makes a handler of a function that reads a body and returns what is answered.
func takes[In, Out any](f func(*request, *In) (*Out, error)) handler {
	return handler{typeOf[In](), typeOf[Out](), func(q *request, status int) error {
		in := new(In)
		if err := q.read(in); err != nil {
			return err
		}
		out, err := f(q, in)
		if err != nil {
			return err
		}
		return q.reply(status, out)
	}}
}

// takesOnly makes a handler of a function that reads a body and returns nothing.
func takesOnly[In any](f func(*request, *In) error) handler {
	return handler{typeOf[In](), nil, func(q *request, _ int) error {
		in := new(In)
		if err := q.read(in); err != nil {
			return err
		}
		if err := f(q, in); err != nil {
			return err
		}
		return q.Done()
	}}
}

// returns makes a handler of a function that reads no body and returns what is answered.
func answers[Out any](f func(*request) (*Out, error)) handler {
	return handler{nil, typeOf[Out](), func(q *request, status int) error {
		out, err := f(q)
		if err != nil {
			return err
		}
		return q.reply(status, out)
	}}
}

// does makes a handler of a function that reads no body and returns nothing.
func does(f func(*request) error) handler {
	return handler{nil, nil, func(q *request, _ int) error {
		if err := f(q); err != nil {
			return err
		}
		return q.Done()
	}}
}

// writes makes a handler of a function that writes its answer by itself: a file, or one of several.
func writes(f func(*request) error) handler {
	return handler{nil, nil, func(q *request, _ int) error { return f(q) }}
}

// writesJSON is writes for an answer that may be JSON of a type.
func writesJSON[Out any](f func(*request) error) handler {
	h := writes(f)
	h.answer = typeOf[Out]()
	return h
}

// reader is a body that reads itself, where it is more than JSON of its type.
type reader interface{ read(q *request) error }

// read reads the request's body into a value, strictly.
func (q *request) read(into any) error {
	if r, ok := into.(reader); ok {
		return r.read(q)
	}
	return q.decode(into)
}

// object is a JSON object that its use case reads, with its bytes as they came.
type object []byte

func (o *object) read(q *request) error {
	body, err := q.Body()
	if err != nil {
		return err
	}
	*o = body
	return decode(body, &map[string]any{})
}

// describeAs are the types that go over the wire in the form of another, which describes them. A
// test holds those of messages to each other, field by field.
func describeAs(registry huma.Registry) {
	for _, pair := range [][2]reflect.Type{
		{typeOf[gatewayapi.Time](), typeOf[time.Time]()},
		{typeOf[gateway.MessageInput](), typeOf[gatewayapi.SendMessageRequest]()},
		{typeOf[sendInput](), typeOf[gatewayapi.SendMessageRequest]()},
		{typeOf[batchInput](), typeOf[gatewayapi.SendBatchRequest]()},
		{typeOf[message](), typeOf[gatewayapi.Message]()},
		{typeOf[eventPage](), typeOf[gatewayapi.EventPage]()},
		{typeOf[gatewayapi.Profile](), typeOf[profile]()},
		{typeOf[gateway.Profile](), typeOf[profile]()},
		{typeOf[newProfile](), typeOf[profile]()},
		{typeOf[profilePage](), typeOf[gatewayapi.ProfilePage]()},
		{typeOf[scriptUpload](), typeOf[gatewayapi.UploadScriptRequest]()},
		{typeOf[newChannel](), typeOf[gatewayapi.CreateChannelRequest]()},
		{typeOf[channelPatch](), typeOf[gatewayapi.UpdateChannelRequest]()},
		{typeOf[object](), typeOf[map[string]any]()},
		{typeOf[profilePatch](), typeOf[map[string]any]()},
	} {
		registry.RegisterTypeAlias(pair[0], pair[1])
	}
}
