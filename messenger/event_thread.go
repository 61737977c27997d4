package messenger

// PassThreadControl tells the app that it now controls a thread. An empty previous owner means that
// the thread was idle.
type PassThreadControl struct {
	PreviousOwnerAppID AppID  `json:"previous_owner_app_id,omitempty"`
	NewOwnerAppID      AppID  `json:"new_owner_app_id,omitempty"`
	Metadata           string `json:"metadata,omitempty"`
}

// TakeThreadControl tells the app that it no longer controls a thread.
type TakeThreadControl struct {
	PreviousOwnerAppID AppID  `json:"previous_owner_app_id,omitempty"`
	NewOwnerAppID      AppID  `json:"new_owner_app_id,omitempty"`
	Metadata           string `json:"metadata,omitempty"`
}

// RequestThreadControl tells the owner of a thread that another app asks for
// it.
type RequestThreadControl struct {
	RequestedOwnerAppID AppID  `json:"requested_owner_app_id,omitempty"`
	Metadata            string `json:"metadata,omitempty"`
}

// AppRoles maps an app's id to its roles on the page, such as
// "primary_receiver".
type AppRoles map[string][]string

// PolicyEnforcement reports that the platform warned, blocked or unblocked the page.
type PolicyEnforcement struct {
	Action string `json:"action"` // warning, block, unblock
	Reason string `json:"reason,omitempty"`
}

// AppIDPageInbox is the app of the page's own inbox in handovers.
const AppIDPageInbox AppID = "263902037430900"
