package gatewayapi

// ConnectApplicationRequest is the body of POST /v1/applications.
type ConnectApplicationRequest struct {
	Page        PageCredentials `json:"page" doc:"The page."`
	Application AppCredentials  `json:"application" doc:"The Facebook app."`
	// GraphVersion is such as v26.0; the gateway's own default when empty.
	GraphVersion string  `json:"graphVersion,omitempty" doc:"Version of the Graph API such as v26.0; the gateway's default when left out."`
	Limits       *Limits `json:"limits,omitempty" doc:"How many sends a second the page may make; the gateway's defaults when left out."`
}

// Limits are how many sends a second a page may make; zero means the gateway's default.
type Limits struct {
	TextPerSecond  float64 `json:"textPerSecond,omitempty" doc:"Everything but audio and video."`
	MediaPerSecond float64 `json:"mediaPerSecond,omitempty" doc:"Audio and video."`
}

// PageCredentials is what it takes to speak for a page.
type PageCredentials struct {
	AccessToken string `json:"accessToken" doc:"Page access token; never answered again."`
}

// AppCredentials is what it takes to speak for a Facebook app.
type AppCredentials struct {
	ID     string `json:"id" doc:"Number of the Facebook app."`
	Secret string `json:"secret" doc:"The app's secret; never answered again."`
}

// UpdateApplicationRequest is the body of PATCH and PUT /v1/applications/{key}; what is left out stays.
type UpdateApplicationRequest struct {
	Page         *UpdatePage `json:"page,omitempty" doc:"The page."`
	Application  *UpdateApp  `json:"application,omitempty" doc:"The Facebook app."`
	GraphVersion *string     `json:"graphVersion,omitempty" doc:"Version of the Graph API; empty for the gateway's default."`
	Limits       *Limits     `json:"limits,omitempty" doc:"How many sends a second the page may make."`
}

// UpdatePage replaces a page's token.
type UpdatePage struct {
	AccessToken *string `json:"accessToken,omitempty" doc:"New token of the same page; resumes a paused one."`
}

// UpdateApp replaces an app's secret. The id may be repeated, and cannot change.
type UpdateApp struct {
	ID     *string `json:"id,omitempty" doc:"May be repeated, and cannot change."`
	Secret *string `json:"secret,omitempty" doc:"New secret; it holds for all pages of the app."`
}

// Application is a connected page.
type Application struct {
	// Key is 32 upper-case hexadecimal digits.
	Key         string      `json:"key" doc:"32 upper-case hexadecimal digits."`
	Page        Page        `json:"page" doc:"The page."`
	Application FacebookApp `json:"application" doc:"The Facebook app."`
	// State is connecting, active or paused; Paused says why.
	State        ApplicationState `json:"state" enum:"connecting,active,paused" doc:"connecting, active or paused."`
	Paused       *Failure         `json:"paused,omitempty" doc:"Why it is paused."`
	PausedAt     Time             `json:"pausedAt,omitzero" doc:"Since when it is paused."`
	GraphVersion string           `json:"graphVersion,omitempty" doc:"Version of the Graph API, where it is not the gateway's default."`
	Limits       *Limits          `json:"limits,omitempty" doc:"How many sends a second the page may make, where it is not the gateway's default."`
	// CallbackURL is the application's own address for webhooks; Door tells whether the app's one callback leads there.
	CallbackURL string            `json:"callbackUrl" doc:"The application's own address for webhooks."`
	Door        bool              `json:"door" doc:"Whether the Facebook app's one page callback leads to callbackUrl."`
	LastEventAt Time              `json:"lastEventAt,omitzero" doc:"When the newest event came."`
	LastCheck   *ApplicationCheck `json:"lastCheck,omitempty" doc:"Outcome of the last check."`
	CreatedAt   Time              `json:"createdAt" doc:"When it was connected."`
	UpdatedAt   Time              `json:"updatedAt" doc:"When it last changed."`
}

// Page describes a page.
type Page struct {
	ID       string `json:"id" doc:"Id of the page."`
	Name     string `json:"name,omitempty" doc:"Name of the page."`
	ImageURL string `json:"imageUrl,omitempty" doc:"Picture of the page."`
}

// FacebookApp describes a Facebook app; name and image are empty where the platform refused them.
type FacebookApp struct {
	ID       string `json:"id" doc:"Number of the app."`
	Name     string `json:"name,omitempty" doc:"Name of the app."`
	ImageURL string `json:"imageUrl,omitempty" doc:"Logo of the app."`
}

// ApplicationCheck is what the platform said about an application.
type ApplicationCheck struct {
	CheckedAt     Time     `json:"checkedAt" doc:"When the platform was asked."`
	OK            bool     `json:"ok" doc:"Everything needed is there."`
	TokenValid    bool     `json:"tokenValid" doc:"The platform accepts the page's token."`
	TokenExpires  Time     `json:"tokenExpires,omitzero" doc:"When the token ends; missing when it does not."`
	Permissions   []string `json:"permissions" doc:"Permissions of the token."`
	Fields        []string `json:"fields" doc:"Webhook fields the page sends this app."`
	MissingFields []string `json:"missingFields" doc:"Webhook fields that should be subscribed and are not."`
	CallbackURL   string   `json:"callbackUrl,omitempty" doc:"The app's callback as the platform has it."`
	CallbackOK    bool     `json:"callbackOk" doc:"The callback leads to this gateway and is active."`
	GetStarted    string   `json:"getStarted,omitempty" doc:"Payload of the Get Started button."`
	LastEventAt   Time     `json:"lastEventAt,omitzero" doc:"When the newest event came."`
	Problems      []string `json:"problems" doc:"Plain words; empty when all is well."`

	TokenType         string    `json:"tokenType,omitempty" doc:"What the platform calls the token: PAGE is right."`
	DataAccessExpires Time      `json:"dataAccessExpires,omitzero" doc:"When the token stops giving access to people's data; missing when it does not."`
	Findings          []Finding `json:"findings" doc:"The problems with codes and remedies, and what should be known beside."`
}

// Finding is something that a check found out.
type Finding struct {
	Code     string   `json:"code" doc:"Such as permission_missing; docs/facebook-setup.md lists them."`
	Severity Severity `json:"severity" enum:"error,warning" doc:"error, or warning for what keeps nothing from working now."`
	Message  string   `json:"message" doc:"What was found."`
	Remedy   string   `json:"remedy" doc:"What to do."`
	Doc      string   `json:"doc" doc:"Where the documentation says how."`
}

// ApplicationList is the answer of GET /v1/applications.
type ApplicationList struct {
	Applications []Application `json:"applications" doc:"The oldest first."`
}
