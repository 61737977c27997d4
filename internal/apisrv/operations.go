package apisrv

import "net/http"

// operationIDs name the operations for programs that are made of the description. They stay as they
// are.
func operationIDs() map[string]string {
	ids := map[string]string{}
	for path, methods := range map[string]map[string]string{
		"/v1/messages":                             {http.MethodPost: "createMessage", http.MethodGet: "listMessages"},
		"/v1/messages/batch":                       {http.MethodPost: "createMessages"},
		"/v1/messages/check":                       {http.MethodPost: "checkMessage"},
		"/v1/messages/{id}":                        {http.MethodGet: "getMessage"},
		"/v1/messages/{id}/cancel":                 {http.MethodPost: "cancelMessage"},
		"/v1/messages/{id}/release":                {http.MethodPost: "releaseMessage"},
		"/v1/events":                               {http.MethodGet: "listEvents"},
		"/v1/set-aside":                            {http.MethodGet: "listSetAsideEvents"},
		"/v1/set-aside/{id}/{reader}/retry":        {http.MethodPost: "retrySetAsideEvent"},
		"/v1/subscriptions":                        {http.MethodPost: "createSubscription", http.MethodGet: "listSubscriptions"},
		"/v1/subscriptions/{id}":                   {http.MethodGet: "getSubscription", http.MethodPatch: "updateSubscription", http.MethodDelete: "deleteSubscription"},
		"/v1/subscriptions/{id}/secrets":           {http.MethodPost: "addSigningSecret"},
		"/v1/subscriptions/{id}/secrets/{secret}":  {http.MethodDelete: "deleteSigningSecret"},
		"/v1/subscriptions/{id}/events":            {http.MethodGet: "pullEvents"},
		"/v1/subscriptions/{id}/ack":               {http.MethodPost: "acknowledgeEvents"},
		"/v1/subscriptions/{id}/deliveries":        {http.MethodGet: "listDeliveries"},
		"/v1/subscriptions/{id}/replay":            {http.MethodPost: "replayEvents"},
		"/v1/profiles":                             {http.MethodPost: "createProfile", http.MethodGet: "listProfiles"},
		"/v1/profiles/{id}":                        {http.MethodGet: "getProfile", http.MethodPatch: "updateProfile", http.MethodDelete: "deleteProfile"},
		"/v1/erasures/{id}":                        {http.MethodGet: "getErasure"},
		"/v1/applications":                         {http.MethodPost: "connectApplication", http.MethodGet: "listApplications"},
		"/v1/applications/{key}":                   {http.MethodGet: "getApplication", http.MethodPatch: "updateApplication", http.MethodPut: "replaceApplicationCredentials", http.MethodDelete: "disconnectApplication"},
		"/v1/applications/{key}/messenger-profile": {http.MethodPut: "setMessengerProfile"},
		"/v1/applications/{key}/check":             {http.MethodPost: "checkApplication", http.MethodGet: "getApplicationCheck"},
		"/v1/scripts":                              {http.MethodPost: "uploadScript", http.MethodGet: "listScripts"},
		"/v1/script-checks":                        {http.MethodPost: "checkScript"},
		"/v1/scripts/{id}":                         {http.MethodGet: "getScript", http.MethodDelete: "deleteScript"},
		"/v1/scripts/{id}/activate":                {http.MethodPost: "activateScript"},
		"/v1/scripts/{id}/deactivate":              {http.MethodPost: "deactivateScript"},
		"/v1/applications/{key}/scripts/rollback":  {http.MethodPost: "rollBackScript"},
		"/v1/scripts/{id}/try":                     {http.MethodPost: "tryScript"},
		"/v1/conversations/{id}/variables":         {http.MethodGet: "getBotState", http.MethodPatch: "updateBotState"},
		"/v1/entry-points":                         {http.MethodPost: "createEntryPoint", http.MethodGet: "listEntryPoints"},
		"/v1/entry-point-batches":                  {http.MethodPost: "createEntryPoints"},
		"/v1/entry-points/{id}":                    {http.MethodGet: "getEntryPoint", http.MethodPatch: "updateEntryPoint", http.MethodDelete: "retireEntryPoint"},
		"/v1/entry-points/{id}/{image}":            {http.MethodGet: "getEntryPointImage"},
		"/v1/entry-point-images":                   {http.MethodGet: "getEntryPointImages"},
		"/v1/entry-point-sheet":                    {http.MethodGet: "getEntryPointSheet"},
		"/v1/opt-in-states":                        {http.MethodPost: "createOptInState"},
		"/v1/goals":                                {http.MethodPost: "createGoal"},
		"/v1/reports/entry-points":                 {http.MethodGet: "getEntryPointReport"},
		"/v1/channels":                             {http.MethodPost: "createChannel", http.MethodGet: "listChannels"},
		"/v1/channels/{id}":                        {http.MethodGet: "getChannel", http.MethodPatch: "updateChannel", http.MethodDelete: "deleteChannel"},
		"/v1/channels/{id}/check":                  {http.MethodPost: "checkChannel"},
		"/v1/opt-outs":                             {http.MethodGet: "listOptOuts"},
		"/v1/opt-outs/{channel}/{address}":         {http.MethodPut: "setOptOut", http.MethodDelete: "deleteOptOut"},
		"/v1/routes":                               {http.MethodPost: "createRoute", http.MethodGet: "listRoutes"},
		"/v1/routes/{id}":                          {http.MethodGet: "getRoute", http.MethodPut: "replaceRoute", http.MethodDelete: "deleteRoute"},
		"/healthz":                                 {http.MethodGet: "getHealth"},
		"/readyz":                                  {http.MethodGet: "getReadiness"},
		"/openapi.json":                            {http.MethodGet: "getDescription"},
		"/docs":                                    {http.MethodGet: "getDocs"},
	} {
		for method, id := range methods {
			ids[method+" "+path] = id
		}
	}
	return ids
}
