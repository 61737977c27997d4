// The methods that both versions have. The answers of 1.1.0 have their names in
// camel case; key turns a name into that of the version.
'use strict';

const fs = require('fs');
const FormData = require('form-data');
const s = require('./samples');

module.exports = async function common(a, c, env, key) {
  const { ana, ben, other, file, base } = env;
  const sent = { [key('recipient_id')]: '=' + ana, [key('message_id')]: 'mid' };
  const done = { result: '=success' };
  const ok = { success: true };

  await a.gives('getPageInfo', c.getPageInfo(), { id: '=' + env.page, name: '=Demo Page' });
  await a.gives('debugToken', c.debugToken(), (d) => d[key('app_id')] === env.app && d[key('is_valid')] === true && Array.isArray(d.scopes) && typeof d.application === 'string');
  await a.gives('createSubscription', c.createSubscription({ callback_url: env.callback, callbackUrl: env.callback, verify_token: 'verify-me', verifyToken: 'verify-me' }), ok);
  const subscription = { object: '=page', [key('callback_url')]: '=' + env.callback, active: true, fields: [{ name: 'text', version: 'text' }] };
  await a.gives('getSubscriptions', c.getSubscriptions(), [subscription]);
  await a.gives('getPageSubscription', c.getPageSubscription(), subscription);
  await a.gives('getMessagingFeatureReview', c.getMessagingFeatureReview(), [{ feature: 'text', status: 'text' }]);
  const profile = { id: '=' + ana, name: '=Ana Quispe', [key('first_name')]: '=Ana', [key('last_name')]: '=Quispe', [key('profile_pic')]: 'url' };
  await a.gives('getUserProfile', c.getUserProfile(ana), profile);
  await a.gives('getUserProfile with fields', c.getUserProfile(ana, { fields: ['id', 'locale', 'timezone'] }), { id: '=' + ana, locale: '=en_US', timezone: 'number' });

  // Messenger profile.
  await a.gives('getGetStarted of nothing', c.getGetStarted(), null);
  await a.refuses('a menu without Get Started', () => c.setPersistentMenu(s.menuItems), 100, 2018145);
  await a.gives('setGetStarted', c.setGetStarted('GET_STARTED'), done);
  await a.gives('getGetStarted', c.getGetStarted(), { payload: '=GET_STARTED' });
  await a.gives('setPersistentMenu', c.setPersistentMenu(s.menuItems), done);
  const stored = env.camel ? (v) => v[0].locale === 'default' && v[0].callToActions.length === 2 : (v) => v[0].locale === 'default' && v[0].call_to_actions.length === 2;
  await a.gives('getPersistentMenu', c.getPersistentMenu(), stored);
  await a.gives('setGreeting', c.setGreeting(s.greeting), done);
  await a.gives('getGreeting', c.getGreeting(), (v) => v.length === 2 && v[0].text === s.greeting[0].text);
  await a.gives('setWhitelistedDomains', c.setWhitelistedDomains(['https://example.com']), done);
  await a.gives('getWhitelistedDomains', c.getWhitelistedDomains(), (v) => v.length === 1 && v[0] === 'https://example.com');
  await a.gives('setAccountLinkingURL', c.setAccountLinkingURL('https://example.com/link'), done);
  await a.gives('getAccountLinkingURL', c.getAccountLinkingURL(), (v) => (env.camel ? v : v.account_linking_url) === 'https://example.com/link');
  await a.gives('setMessengerProfile', c.setMessengerProfile({ greeting: s.greeting, get_started: { payload: 'AGAIN' } }), done);
  await a.gives('getMessengerProfile', c.getMessengerProfile(['get_started', 'greeting']), (v) => v.length === 1 && v[0][key('get_started')].payload === 'AGAIN');
  await a.gives('deletePersistentMenu', c.deletePersistentMenu(), done);
  await a.gives('getPersistentMenu of nothing', c.getPersistentMenu(), null);
  await a.gives('deleteGreeting', c.deleteGreeting(), done);
  await a.gives('deleteWhitelistedDomains', c.deleteWhitelistedDomains(), done);
  await a.gives('deleteAccountLinkingURL', c.deleteAccountLinkingURL(), done);
  await a.gives('deleteGetStarted', c.deleteGetStarted(), done);
  await a.gives('deleteMessengerProfile', c.deleteMessengerProfile(['get_started', 'greeting']), done);
  await a.refuses('a greeting that is too long', () => c.setGreeting('x'.repeat(1001)), 100);
  await a.refuses('an unknown profile field', () => c.getMessengerProfile(['nonsense']), 100);

  // Sends.
  await a.gives('sendRawBody', c.sendRawBody({ recipient: { id: ana }, message: { text: 'raw' } }), sent);
  await a.gives('sendMessage', c.sendMessage(ana, { text: 'message' }), sent);
  await a.gives('sendMessage to a user_ref', c.sendMessage({ [key('user_ref')]: 'never-seen-' + env.camel }, { text: 'ref' }), { [key('message_id')]: 'mid' });
  await a.gives('sendMessage to a phone number', c.sendMessage({ [key('phone_number')]: '+1(212)555-2368', name: { [key('first_name')]: 'Ana', [key('last_name')]: 'Quispe' } }, { text: 'phone' }), { [key('message_id')]: 'mid' });
  await a.gives('sendText', c.sendText(ana, 'text', { [key('quick_replies')]: s.quickReplies }), sent);
  await a.gives('sendText with a tag', c.sendText(ana, 'tag', { tag: 'ACCOUNT_UPDATE' }), sent);
  await a.gives('sendAttachment', c.sendAttachment(ana, { type: 'image', payload: { url: base + '/picture.png' } }), sent);
  const reusable = { ...sent, [key('attachment_id')]: 'id' };
  for (const kind of ['Audio', 'Image', 'Video', 'File']) {
    const name = { Audio: 'sound.mp3', Image: 'picture.png', Video: 'film.mp4', File: 'paper.pdf' }[kind];
    const bytes = fs.readFileSync(file(name));
    await a.gives(`send${kind} by address`, c['send' + kind](ana, base + '/' + name), sent);
    await a.gives(`send${kind} by attachment`, c['send' + kind](ana, { url: base + '/' + name, is_reusable: true, isReusable: true }), reusable);
    await a.gives(`send${kind} of a buffer`, c['send' + kind](ana, bytes, { filename: name }), sent);
    await a.gives(`send${kind} of a stream`, c['send' + kind](ana, fs.createReadStream(file(name))), sent);
    await a.refuses(`send${kind} of a buffer without a name`, () => c['send' + kind](ana, bytes), 100, 2018005);
    const uploaded = await a.gives(`upload${kind} by address`, c['upload' + kind](base + '/' + name, { [key('is_reusable')]: true }), { [key('attachment_id')]: 'id' });
    await a.gives(`upload${kind} of a buffer`, c['upload' + kind](bytes, { filename: name, [key('is_reusable')]: true }), { [key('attachment_id')]: 'id' });
    await a.gives(`upload${kind} of a stream`, c['upload' + kind](fs.createReadStream(file(name))), { [key('attachment_id')]: 'id' });
    await a.refuses(`upload${kind} of a buffer without a name`, () => c['upload' + kind](bytes), 100, 2018005);
    if (uploaded) await a.gives(`send${kind} by id`, c['send' + kind](ana, { [key('attachment_id')]: uploaded[key('attachment_id')] }), sent);
  }
  const picture = await a.gives('uploadAttachment', c.uploadAttachment('image', fs.createReadStream(file('picture.png')), { [key('is_reusable')]: true }), { [key('attachment_id')]: 'id' });
  const form = new FormData();
  form.append('message', JSON.stringify({ attachment: { type: 'file', payload: {} } }));
  form.append('filedata', fs.createReadStream(file('paper.pdf')));
  await a.gives('sendMessageFormData', c.sendMessageFormData(ana, form), sent);
  await a.gives('sendTemplate', c.sendTemplate(ana, { template_type: 'button', text: 'choose', buttons: s.buttons }), sent);
  await a.gives('sendButtonTemplate', c.sendButtonTemplate(ana, 'choose', s.buttons), sent);
  await a.gives('sendGenericTemplate', c.sendGenericTemplate(ana, s.elements, { [key('image_aspect_ratio')]: 'square' }), sent);
  await a.gives('sendReceiptTemplate', c.sendReceiptTemplate(ana, s.receipt('1-' + a.name)), sent);
  await a.gives('sendMediaTemplate', c.sendMediaTemplate(ana, [{ media_type: 'image', attachment_id: picture[key('attachment_id')], buttons: [s.buttons[1]] }]), sent);
  await a.gives('sendAirlineBoardingPassTemplate', c.sendAirlineBoardingPassTemplate(ana, s.boardingPass), sent);
  await a.gives('sendAirlineCheckinTemplate', c.sendAirlineCheckinTemplate(ana, s.checkin), sent);
  await a.gives('sendAirlineItineraryTemplate', c.sendAirlineItineraryTemplate(ana, s.itinerary), sent);
  await a.gives('sendAirlineUpdateTemplate', c.sendAirlineUpdateTemplate(ana, s.update), sent);
  const named = { [key('recipient_id')]: '=' + ana };
  await a.gives('sendSenderAction', c.sendSenderAction(ana, 'typing_on'), named);
  await a.gives('markSeen', c.markSeen(ana), named);
  await a.gives('typingOn', c.typingOn(ana), named);
  await a.gives('typingOff', c.typingOff(ana), named);
  await a.refuses('an unknown person', () => c.sendText('123', 'x'), 100, 2018001);
  await a.refuses('a person who never wrote', () => c.sendText(ben, 'x'), 10);
  await a.refuses('an empty message', () => c.sendMessage(ana, {}), 100, 2018034);
  await a.refuses('a text that is too long', () => c.sendText(ana, 'x'.repeat(2001)), 100);
  await a.refuses('an unknown tag', () => c.sendText(ana, 'x', { tag: 'NONSENSE' }), 100);
  await a.refuses('an unknown attachment id', () => c.sendImage(ana, { attachment_id: '1', attachmentId: '1' }), 100, 2018074);
  await a.refuses('a file that is not there', () => c.sendImage(ana, base + '/nothing.png'), 100, 2018008);

  // Labels.
  const label = await a.gives('createLabel', c.createLabel('gold'), { id: 'id' });
  await a.gives('associateLabel', c.associateLabel(ana, label.id), ok);
  await a.gives('getAssociatedLabels', c.getAssociatedLabels(ana), { data: [{ id: '=' + label.id, name: '=gold' }] });
  await a.gives('getLabelDetails', c.getLabelDetails(label.id), { id: '=' + label.id, name: '=gold' });
  await a.gives('getLabelList', c.getLabelList(), { data: [{ id: 'id', name: 'text' }] });
  await a.gives('dissociateLabel', c.dissociateLabel(ana, label.id), ok);
  await a.gives('getAssociatedLabels of nothing', c.getAssociatedLabels(ana), (v) => v.data.length === 0 && !v.paging);
  await a.gives('deleteLabel', c.deleteLabel(label.id), ok);
  await a.refuses('a label that is gone', () => c.getLabelDetails(label.id), 100);

  // Personas: 27 make two pages, and the last must end the asking.
  const made = [];
  for (let i = 0; i < 27; i += 1) {
    const p = await a.gives('createPersona', c.createPersona({ name: 'Persona ' + i, profile_picture_url: base + '/picture.png', profilePictureUrl: base + '/picture.png' }), { id: 'id' });
    made.push(p.id);
  }
  const persona = { id: 'id', name: 'text', [key('profile_picture_url')]: 'url' };
  await a.gives('getPersona', c.getPersona(made[0]), persona);
  const first = await a.gives('getPersonas', c.getPersonas(), { data: [persona], paging: { cursors: { before: 'text', after: 'text' }, next: 'url' } });
  await a.gives('getPersonas of the second page', c.getPersonas(first.paging.cursors.after), (v) => v.data.length === 2 && !v.paging);
  await a.gives('getAllPersonas', c.getAllPersonas(), (v) => v.length === 27);
  await a.gives('sendText as a persona', c.sendText(ana, 'as somebody', { [key('persona_id')]: made[0] }), sent);
  for (const id of made) await a.gives('deletePersona', c.deletePersona(id), ok);
  await a.gives('getAllPersonas of nobody', c.getAllPersonas(), (v) => v.length === 0);
  await a.refuses('a persona without a picture', () => c.createPersona({ name: 'x' }), 100);

  // Handover.
  await a.gives('passThreadControl', c.passThreadControl(ana, other, 'why'), ok);
  await a.gives('getThreadOwner', c.getThreadOwner(ana), { [key('app_id')]: '=' + other });
  await a.refuses('a send while another app has the thread', () => c.sendText(ana, 'x'), 10, 2018300);
  await a.gives('passThreadControlToPageInbox', c.passThreadControlToPageInbox(ana), ok);
  await a.gives('takeThreadControl', c.takeThreadControl(ana, 'back'), ok);
  await a.gives('requestThreadControl', c.requestThreadControl(ana, 'please'), ok);
  await a.gives('getSecondaryReceivers', c.getSecondaryReceivers(), [{ id: 'id', name: 'text' }]);
  await a.refuses('an unknown app', () => c.passThreadControl(ana, 1), 100);

  // Insights, language, events, ids.
  const metric = { name: 'text', period: '=day', values: [{ value: 'number', [key('end_time')]: 'text' }], title: 'text', description: 'text', id: 'text' };
  await a.gives('getInsights', c.getInsights(['page_messages_new_conversations_unique', 'page_messages_blocked_conversations_unique']), [metric]);
  await a.gives('getInsights of some days', c.getInsights(['page_messages_new_conversations_unique'], { since: 1760000000, until: 1760300000 }), [metric]);
  for (const name of ['getBlockedConversations', 'getReportedConversations', 'getTotalMessagingConnections', 'getNewConversations']) await a.gives(name, c[name](), metric);
  await a.refuses('an unknown metric', () => c.getInsights(['nonsense']), 100);
  await a.gives('setNLPConfigs', c.setNLPConfigs({ nlp_enabled: true, nlpEnabled: true, model: 'ENGLISH', verbose: true, n_best: 3 }), ok);
  await a.gives('enableNLP', c.enableNLP(), ok);
  await a.gives('disableNLP', c.disableNLP(), ok);
  const logged = { events: [{ _eventName: 'fb_mobile_purchase', _valueToSum: 55.22, _fb_currency: 'USD' }] };
  await a.gives('logCustomEvents', c.logCustomEvents({ ...logged, app_id: env.app, appId: env.app, page_id: env.page, pageId: env.page, page_scoped_user_id: ana, userId: ana, pageScopedUserId: ana }), ok);
  const secret = { user_id: ana, userId: ana, app_secret: env.secret, appSecret: env.secret };
  await a.gives('getIdsForApps', c.getIdsForApps(secret), (v) => v.data.length > 0 && v.data.every((x) => x.id && x.app.id && x.app.name) && !v.paging);
  await a.gives('getIdsForPages', c.getIdsForPages(secret), (v) => v.data.length === 1 && v.data[0].id === ana && v.data[0].page.id === env.page);
  await a.gives('getUserField', c.getUserField({ ...secret, field: 'ids_for_pages' }), (v) => v.data[0].id === ana);
};
