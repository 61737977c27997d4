package entrypoint

import (
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/guard"
	"github.com/chasqui/chasqui/internal/qr"
	"github.com/chasqui/chasqui/internal/service"
	"github.com/chasqui/chasqui/internal/store"
)

// Codes answers the Messenger Code API as the platform had it until 2019, with codes that phones
// read today.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/discovery/messenger-codes
type Codes struct {
	Directory *service.Directory
	Points    *service.EntryPoints
	Tokens    *store.Tokens
	PublicURL string
	Now       func() time.Time
}

const (
	codeLife    = time.Hour
	defaultSize = 1000
	minSize     = 100
	maxSize     = 2000
	maxCodeBody = 8 << 10
)

var graphVersion = regexp.MustCompile(`^v\d+\.\d+$`)

// Register puts the endpoint and its pictures on a mux.
func (c *Codes) Register(mux *http.ServeMux) {
	mux.HandleFunc("POST /{version}/me/messenger_codes", c.create)
	mux.HandleFunc("POST /me/messenger_codes", c.create)
	mux.HandleFunc("GET /codes/{code}", c.picture)
}

var ofPage = regexp.MustCompile(`^/(v\d+\.\d+)/(\d+)/messenger_codes$`)

// Otherwise takes requests that name the page by its id, as the platform had it too, and leaves all
// others to next: as a pattern of the mux it would meet others.
func (c *Codes) Otherwise(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m := ofPage.FindStringSubmatch(r.URL.Path)
		if m == nil || r.Method != http.MethodPost {
			next.ServeHTTP(w, r)
			return
		}
		r.SetPathValue("version", m[1])
		r.SetPathValue("page", m[2])
		c.create(w, r)
	})
}

// graphError is the platform's form of an error.
type graphError struct {
	status  int
	Message string `json:"message"`
	Type    string `json:"type"`
	Code    int    `json:"code"`
	TraceID string `json:"fbtrace_id"`
}

func refuse(w http.ResponseWriter, e graphError) {
	e.TraceID = "A" + strconv.FormatInt(time.Now().UnixNano(), 36)
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(e.status)
	json.NewEncoder(w).Encode(map[string]any{"error": e}) // whoever has gone needs no answer
}

func invalid(format string, args ...any) graphError {
	return graphError{status: http.StatusBadRequest, Message: "(#100) " + fmt.Sprintf(format, args...), Type: "OAuthException", Code: 100}
}

// codeRequest is what is asked for. Numbers may be written as strings, as everywhere in the Graph
// API.
type codeRequest struct {
	Type      string          `json:"type"`
	ImageSize json.RawMessage `json:"image_size"`
	Data      json.RawMessage `json:"data"`
	Token     string          `json:"access_token"`
}

func (c *Codes) create(w http.ResponseWriter, r *http.Request) {
	if version := r.PathValue("version"); version != "" && !graphVersion.MatchString(version) {
		http.NotFound(w, r)
		return
	}
	request, ok := readCodeRequest(w, r)
	if !ok {
		refuse(w, invalid("The body is neither JSON nor a form"))
		return
	}
	app, problem := c.application(r, request.Token)
	if app == nil {
		refuse(w, problem)
		return
	}
	if page := r.PathValue("page"); page != "" && page != app.PageID {
		refuse(w, invalid("The page %s is not the one whose access token was given", page))
		return
	}
	size, ref, problem := request.check()
	if problem.status != 0 {
		refuse(w, problem)
		return
	}
	uri, err := c.uri(r, app, ref, size)
	if err != nil {
		refuse(w, graphError{status: http.StatusInternalServerError, Message: "An unexpected error has occurred. Please retry your request later.", Type: "OAuthException", Code: 2})
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)                  // the address is to be read
	encoder.Encode(map[string]string{"uri": uri}) // as above
}

func readCodeRequest(w http.ResponseWriter, r *http.Request) (codeRequest, bool) {
	var request codeRequest
	body, err := guard.ReadBody(w, r, maxCodeBody)
	if err != nil {
		return request, false
	}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		form, err := url.ParseQuery(string(body))
		if err == nil && form.Get("type") == "" && json.Unmarshal(body, &request) == nil {
			return request, true // curl sends JSON under that name unless told otherwise
		}
		quoted, _ := json.Marshal(form.Get("image_size"))
		request = codeRequest{Type: form.Get("type"), Data: json.RawMessage(form.Get("data")), Token: form.Get("access_token")}
		if form.Has("image_size") {
			request.ImageSize = quoted
		}
		return request, err == nil
	}
	if len(strings.TrimSpace(string(body))) == 0 {
		return request, true
	}
	return request, json.Unmarshal(body, &request) == nil
}

// application returns the connected page whose token was sent, in the query, the body or the
// header.
func (c *Codes) application(r *http.Request, inBody string) (*gateway.Application, graphError) {
	token := r.URL.Query().Get("access_token")
	if bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); token == "" && ok {
		token = bearer
	}
	if token == "" {
		token = inBody
	}
	if token == "" {
		return nil, graphError{status: http.StatusBadRequest, Message: "An access token is required to request this resource.", Type: "OAuthException", Code: 104}
	}
	var found *gateway.Application
	for _, a := range c.Directory.Applications() {
		if subtle.ConstantTimeCompare([]byte(a.AccessToken.Reveal()), []byte(token)) == 1 {
			found = a
		}
	}
	if found == nil {
		return nil, graphError{status: http.StatusUnauthorized, Message: "Invalid OAuth access token - Cannot parse access token", Type: "OAuthException", Code: 190}
	}
	return found, graphError{}
}

// check reads size and ref.
func (q codeRequest) check() (size int, ref string, problem graphError) {
	if q.Type != "standard" {
		return 0, "", invalid("Param type must be one of {STANDARD} and is \"standard\"")
	}
	size = defaultSize
	if text := strings.Trim(string(q.ImageSize), `"`); text != "" && text != "null" {
		n, err := strconv.Atoi(text)
		if err != nil || n < minSize || n > maxSize {
			return 0, "", invalid("Param image_size must be a number from %d to %d", minSize, maxSize)
		}
		size = n
	}
	if len(q.Data) == 0 || string(q.Data) == "null" {
		return size, "", graphError{}
	}
	var data map[string]json.RawMessage
	if json.Unmarshal(q.Data, &data) != nil {
		return 0, "", invalid("Param data must be an object")
	}
	given, there := data["ref"]
	if !there || string(given) == "null" {
		return size, "", graphError{}
	}
	if json.Unmarshal(given, &ref) != nil {
		ref = string(given) // the Graph API takes numbers and truth values for text
	}
	if !gateway.ValidRef(ref) {
		return 0, "", invalid("Param data[ref] must be 1 to %d characters of a-z A-Z 0-9 + / = - . : _", gateway.MaxRef)
	}
	return size, ref, graphError{}
}

// uri makes the signed address of a picture. A code that would be too fine to be read holds our own
// short link.
func (c *Codes) uri(r *http.Request, app *gateway.Application, ref string, size int) (string, error) {
	link := c.Points.Link(&gateway.EntryPoint{Application: app.Key, Ref: ref})
	tooFine := qr.Smallest(link, qr.Style{Size: size}) > size
	if ref != "" || tooFine {
		// The ref is known as a code's from the first: what comes of it is counted and told as a
		// code's.
		point, err := c.Points.ForRef(r.Context(), app.Key, ref)
		if err != nil {
			return "", err
		}
		if tooFine {
			link = c.Points.ShortLink(point)
		}
	}
	q := url.Values{"link": {link}, "size": {strconv.Itoa(size)}, "until": {strconv.FormatInt(c.Now().Add(codeLife).Unix(), 10)}}
	signature, err := c.Tokens.Sign(r.Context(), "code "+q.Encode())
	if err != nil {
		return "", err
	}
	return c.PublicURL + "/codes/" + signature + ".png?" + q.Encode(), nil
}

// picture draws what a signed address says.
func (c *Codes) picture(w http.ResponseWriter, r *http.Request) {
	signature, ok := strings.CutSuffix(r.PathValue("code"), ".png")
	q := r.URL.Query()
	if !ok || !c.Tokens.Signed(r.Context(), "code "+q.Encode(), signature) {
		http.Error(w, "URL signature mismatch", http.StatusForbidden)
		return
	}
	until, _ := strconv.ParseInt(q.Get("until"), 10, 64)
	if c.Now().Unix() > until {
		http.Error(w, "URL signature expired", http.StatusForbidden)
		return
	}
	size, _ := strconv.Atoi(q.Get("size")) // as it was signed
	var picture []byte
	var media string
	err := c.Points.Pictures.Easel.Draw(r.Context(), func() (err error) {
		picture, media, err = qr.Render(q.Get("link"), "png", qr.Style{Size: size})
		return err
	})
	if gateway.CodeOf(err) == gateway.CodeOverloaded {
		w.Header().Set("Retry-After", "5")
		http.Error(w, "too many pictures are being drawn", http.StatusServiceUnavailable)
		return
	}
	if err != nil {
		http.Error(w, "the code cannot be drawn", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", media)
	w.Header().Set("Cache-Control", "public, max-age=3600")
	w.Write(picture)
}
