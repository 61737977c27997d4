package messenger

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
)

// NLPConfig sets the built-in language analysis of a page's messages. Nil and
// zero fields stay as they are.
type NLPConfig struct {
	Enabled     *bool
	Model       string // such as ENGLISH, SPANISH, CUSTOM
	CustomToken string // the token of a model of one's own, with Model CUSTOM
	Verbose     *bool
	NBest       int // how many meanings of each entity, 1 to 8
}

// SetNLP sets the built-in language analysis of the token's page, whose results
// come in [InboundMessage].NLP. The settings go in the body, since one of them
// is a secret.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/built-in-nlp
func (c *Client) SetNLP(ctx context.Context, cfg NLPConfig) error {
	form := url.Values{}
	if cfg.Enabled != nil {
		form.Set("nlp_enabled", strconv.FormatBool(*cfg.Enabled))
	}
	setNonEmpty(form, "model", cfg.Model)
	setNonEmpty(form, "custom_token", cfg.CustomToken)
	if cfg.Verbose != nil {
		form.Set("verbose", strconv.FormatBool(*cfg.Verbose))
	}
	if cfg.NBest != 0 {
		form.Set("n_best", strconv.Itoa(cfg.NBest))
	}
	if err := c.check(http.MethodPost, "me/nlp_configs", cfg.check); err != nil {
		return err
	}
	return c.Do(ctx, http.MethodPost, "me/nlp_configs", nil, form, nil)
}
