package messenger_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"time"

	"github.com/chasqui/chasqui/messenger"
)

// arguments are those of a call of the npm package.
type arguments []json.RawMessage

// argument reads one of them; its zero value when it was not given or is of
// another type.
func argument[T any](args []json.RawMessage, i int) T {
	var out T
	if i >= len(args) || json.Unmarshal(args[i], &out) != nil {
		var none T
		return none
	}
	return out
}

// scalar is an argument that may be a string or a number.
func (a arguments) scalar(i int) string { return string(argument[messenger.PSID](a, i)) }

func (a arguments) person(i int) messenger.PSID { return argument[messenger.PSID](a, i) }

// options are the members of the npm package's last argument.
type options struct {
	MessagingType    messenger.MessagingType    `json:"messaging_type"`
	Tag              messenger.Tag              `json:"tag"`
	NotificationType messenger.NotificationType `json:"notification_type"`
	PersonaID        string                     `json:"persona_id"`
	QuickReplies     []messenger.QuickReply     `json:"quick_replies"`
	Filename         string                     `json:"filename"`
	Reusable         bool                       `json:"is_reusable"`
	AspectRatio      string                     `json:"image_aspect_ratio"`
	TopElementStyle  string                     `json:"top_element_style"`
	Fields           []string                   `json:"fields"`
	Since            int64                      `json:"since"`
	Until            int64                      `json:"until"`
	ComposerDisabled bool                       `json:"composer_input_disabled"`
}

func (a arguments) options(i int) options { return argument[options](a, i) }

// send is what the npm package makes of recipient, message and options.
func (a arguments) send(message messenger.Message, at int) messenger.SendRequest {
	o := a.options(at)
	req := messenger.SendRequest{
		Message: message, MessagingType: o.MessagingType, Tag: o.Tag, NotificationType: o.NotificationType, PersonaID: o.PersonaID,
		Recipient: messenger.Recipient{ID: a.person(0)},
	}
	if req.Recipient.ID == "" {
		req.Recipient = argument[messenger.Recipient](a, 0)
	}
	switch {
	case req.MessagingType != "":
	case o.Tag != "":
		req.MessagingType = messenger.TypeMessageTag
	default:
		req.MessagingType = messenger.TypeUpdate
	}
	if len(o.QuickReplies) > 0 {
		req.Message.QuickReplies = o.QuickReplies
	}
	return req
}

// file is an argument that is content, nil when it is none.
func (a arguments) file(i, optionsAt int) *messenger.File {
	content := argument[struct {
		Buffer   string `json:"$buffer"`
		Stream   string `json:"$stream"`
		FormData bool   `json:"$formdata"`
	}](a, i)
	data, err := base64.StdEncoding.DecodeString(content.Buffer)
	switch {
	case err != nil:
		return nil
	case content.Stream != "":
		return &messenger.File{Name: content.Stream, Reader: io.MultiReader(bytes.NewReader([]byte("buffer-bytes")))}
	case content.FormData:
		return &messenger.File{Name: "a.png", Data: []byte("buffer-bytes")}
	case content.Buffer != "":
		return &messenger.File{Name: a.options(optionsAt).Filename, Data: data}
	}
	return nil
}

// media is an argument that is a URL, a payload or content.
func (a arguments) media(kind messenger.AttachmentType, i int) (messenger.Message, *messenger.File) {
	attachment := &messenger.Attachment{Type: kind}
	if url := argument[string](a, i); url != "" {
		attachment.URL = url
		return messenger.Message{Attachment: attachment}, nil
	}
	if file := a.file(i, i+1); file != nil {
		return messenger.Message{Attachment: attachment}, file
	}
	payload := argument[struct {
		URL          string `json:"url"`
		AttachmentID string `json:"attachment_id"`
		Reusable     bool   `json:"is_reusable"`
	}](a, i)
	attachment.URL, attachment.AttachmentID, attachment.Reusable = payload.URL, payload.AttachmentID, payload.Reusable
	return messenger.Message{Attachment: attachment}, nil
}

type driver func(ctx context.Context, c *messenger.Client, a arguments) error

func sendMedia(kind messenger.AttachmentType) driver {
	return func(ctx context.Context, c *messenger.Client, a arguments) error {
		message, file := a.media(kind, 1)
		if file != nil {
			_, err := c.SendFile(ctx, a.send(message, 2), *file)
			return err
		}
		_, err := c.Send(ctx, a.send(message, 2))
		return err
	}
}

func upload(kind messenger.AttachmentType, at int) driver {
	return func(ctx context.Context, c *messenger.Client, a arguments) error {
		if kind == "" {
			kind = argument[messenger.AttachmentType](a, 0)
		}
		_, err := c.UploadAttachment(ctx, messenger.UploadRequest{
			Type: kind, URL: argument[string](a, at), File: a.file(at, at+1), Reusable: a.options(at + 1).Reusable,
		})
		return err
	}
}

// sendTemplate sends what template makes of the arguments; the options stand at
// the given place.
func sendTemplate(template func(arguments) messenger.Template, optionsAt int) driver {
	return func(ctx context.Context, c *messenger.Client, a arguments) error {
		_, err := c.Send(ctx, a.send(messenger.TemplateMessage(template(a[1:])), optionsAt))
		return err
	}
}

// templates build each template from the arguments of its factory.
func templates() map[string]func(arguments) messenger.Template {
	return map[string]func(arguments) messenger.Template{
		"Template": func(a arguments) messenger.Template { return argument[messenger.Template](a, 0) },
		"ButtonTemplate": func(a arguments) messenger.Template {
			return messenger.Template{Button: &messenger.ButtonTemplate{Text: argument[string](a, 0), Buttons: argument[[]messenger.Button](a, 1)}}
		},
		"GenericTemplate": func(a arguments) messenger.Template {
			ratio := a.options(1).AspectRatio
			if ratio == "" {
				ratio = "horizontal"
			}
			return messenger.Template{Generic: &messenger.GenericTemplate{Elements: argument[[]messenger.Element](a, 0), ImageAspectRatio: ratio}}
		},
		"ListTemplate": func(a arguments) messenger.Template {
			style := a.options(2).TopElementStyle
			if style == "" {
				style = "large"
			}
			return messenger.Template{List: &messenger.ListTemplate{Elements: argument[[]messenger.Element](a, 0), Buttons: argument[[]messenger.Button](a, 1), TopElementStyle: style}}
		},
		"OpenGraphTemplate": func(a arguments) messenger.Template {
			return messenger.Template{OpenGraph: &messenger.OpenGraphTemplate{Elements: argument[[]messenger.OpenGraphElement](a, 0)}}
		},
		"MediaTemplate": func(a arguments) messenger.Template {
			return messenger.Template{Media: &messenger.MediaTemplate{Elements: argument[[]messenger.MediaElement](a, 0)}}
		},
		"ReceiptTemplate": func(a arguments) messenger.Template {
			return messenger.Template{Receipt: argument[*messenger.ReceiptTemplate](a, 0)}
		},
		"AirlineBoardingPassTemplate": func(a arguments) messenger.Template {
			return messenger.Template{AirlineBoardingPass: argument[*messenger.AirlineBoardingPassTemplate](a, 0)}
		},
		"AirlineCheckinTemplate": func(a arguments) messenger.Template {
			return messenger.Template{AirlineCheckin: argument[*messenger.AirlineCheckinTemplate](a, 0)}
		},
		"AirlineItineraryTemplate": func(a arguments) messenger.Template {
			return messenger.Template{AirlineItinerary: argument[*messenger.AirlineItineraryTemplate](a, 0)}
		},
		"AirlineUpdateTemplate": func(a arguments) messenger.Template {
			return messenger.Template{AirlineUpdate: argument[*messenger.AirlineUpdateTemplate](a, 0)}
		},
		"OneTimeNotifReqTemplate": func(a arguments) messenger.Template {
			return messenger.Template{OneTimeNotif: argument[*messenger.OneTimeNotifTemplate](a, 0)}
		},
	}
}

// optionsOf is where the options of a template's send stand.
func optionsOf(template string) int {
	switch template {
	case "ButtonTemplate":
		return 3
	case "ListTemplate":
		return 3
	}
	return 2
}

func action(name messenger.SenderActionName) driver {
	return func(ctx context.Context, c *messenger.Client, a arguments) error {
		at := 1
		if name == "" {
			name, at = argument[messenger.SenderActionName](a, 1), 2
		}
		_, err := c.SenderAction(ctx, messenger.SenderActionRequest{
			Recipient: a.send(messenger.Message{}, 9).Recipient, Action: name, PersonaID: a.options(at).PersonaID,
		})
		return err
	}
}

func insight(metric messenger.Metric) driver {
	return func(ctx context.Context, c *messenger.Client, a arguments) error {
		req := messenger.InsightsRequest{Metrics: []messenger.Metric{metric}}
		at := 0
		if metric == "" {
			req.Metrics, at = argument[[]messenger.Metric](a, 0), 1
		}
		if o := a.options(at); o.Since != 0 || o.Until != 0 {
			req.Since = time.Unix(o.Since, 0)
			if o.Until != 0 {
				req.Until = time.Unix(o.Until, 0)
			}
		}
		_, err := c.Insights(ctx, req)
		return err
	}
}

// result drops what a call gave.
func result[T any](_ T, err error) error { return err }
