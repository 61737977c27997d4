package graphemu

import (
	"encoding/json"
	"errors"
	"slices"
	"strconv"

	"github.com/chasqui/chasqui/messenger"
)

// attach sends a message that is not only text.
func (t turn) attach(a Action) (ActionResult, error) {
	one := func(kind string, payload any) json.RawMessage {
		return mustJSON([]any{map[string]any{"type": kind, "payload": payload}})
	}
	switch {
	case a.Attachment != nil:
		if !slices.Contains([]string{"image", "audio", "video", "file"}, a.Attachment.Type) || a.Attachment.URL == "" {
			return ActionResult{}, errors.New("an attachment needs a type (image, audio, video, file) and a url")
		}
		return t.write(wireMessage{Attachments: one(a.Attachment.Type, map[string]string{"url": a.Attachment.URL})}), nil
	case a.Sticker != 0:
		return t.write(wireMessage{Attachments: t.sticker(a.Sticker)}), nil
	case a.Location != nil:
		coordinates := map[string]any{"coordinates": map[string]float64{"lat": a.Location.Lat, "long": a.Location.Long}}
		return t.write(wireMessage{Attachments: one("location", coordinates)}), nil
	case a.Share != nil:
		if a.Share.URL == "" {
			return ActionResult{}, errors.New("a shared link needs a url")
		}
		return t.write(wireMessage{Text: a.Share.Text, Attachments: one("fallback", map[string]string{"url": a.Share.URL, "title": a.Share.Title})}), nil
	}
	product := map[string]any{"elements": []any{map[string]string{
		"id": a.Product.ID, "retailer_id": a.Product.ID, "image_url": a.Product.ImageURL, "title": a.Product.Title, "subtitle": a.Product.Subtitle,
	}}}
	m := wireMessage{Text: a.Product.Text, Referral: &Referral{Product: &ProductReferral{a.Product.ID}}, Attachments: one("template", map[string]any{"product": product})}
	return t.write(m), nil
}

// sticker returns the attachments of a sticker, in the form of the day.
func (t turn) sticker(id int64) json.RawMessage {
	payload := map[string]any{"url": stickerURL(id), "sticker_id": id}
	list := []any{map[string]any{"type": "sticker", "payload": payload}, map[string]any{"type": "image", "payload": payload}}
	switch {
	case t.clock.isDated() && !t.calendar.takesNow(messenger.FeatureStickerType):
		list = list[1:]
	case t.calendar.ended(messenger.FeatureStickerImage):
		list = list[:1]
	}
	return mustJSON(list)
}

func stickerURL(id int64) string {
	return "https://scontent.xx.fbcdn.net/t39.1997-6/" + strconv.FormatInt(id, 10) + ".png"
}
