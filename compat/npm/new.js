// What 1.1.0 has beside the rest, at its own version 6.0 of the Graph API.
'use strict';

const { MessengerClient, MessengerBatch } = require('messenger-1.1.0');
const common = require('./common');
const batches = require('./batch');
const s = require('./samples');

const camel = (name) => name.replace(/_(\w)/g, (_, c) => c.toUpperCase());

module.exports = async function newer(a, env, config) {
  const c = a.client(new MessengerClient({ accessToken: env.token, appId: env.app, appSecret: env.secret, origin: env.origin, ...config }));
  const { ana } = env;
  const done = { result: '=success' };
  await common(a, c, { ...env, camel: true }, camel);
  await a.gives('getPageInfo with fields', c.getPageInfo({ fields: ['id', 'name'] }), { id: '=' + env.page, name: '=Demo Page' });
  await a.gives('setIceBreakers', c.setIceBreakers(s.iceBreakers), done);
  await a.gives('getIceBreakers', c.getIceBreakers(), (v) => v.length === 2 && v[0].question === 'Where are you?');
  await a.gives('deleteIceBreakers', c.deleteIceBreakers(), done);
  await a.gives('setGetStarted', c.setGetStarted('GO'), done);
  await a.gives('getUserPersistentMenu of nothing', c.getUserPersistentMenu(ana), null);
  await a.gives('setUserPersistentMenu', c.setUserPersistentMenu(ana, s.menuItems, { composerInputDisabled: false }), done);
  await a.gives('getUserPersistentMenu', c.getUserPersistentMenu(ana), (v) => v[0].callToActions.length === 2);
  await a.gives('deleteUserPersistentMenu', c.deleteUserPersistentMenu(ana), done);
  await a.gives('getUserPersistentMenu when it is gone', c.getUserPersistentMenu(ana), null);
  await a.gives('deleteGetStarted', c.deleteGetStarted(), done);
  await a.gives('sendOneTimeNotifReqTemplate', c.sendOneTimeNotifReqTemplate(ana, { title: 'Back in stock?', payload: 'STOCK' }), { recipientId: '=' + ana, messageId: 'mid' });
  const persona = await c.createPersona({ name: 'Typist', profilePictureUrl: env.base + '/picture.png' });
  await a.gives('typingOn as a persona', c.typingOn(ana, { personaId: persona.id }), { recipientId: '=' + ana });
  await c.deletePersona(persona.id);
  await a.refuses('a tag that was withdrawn', () => c.sendText(ana, 'x', { tag: 'SHIPPING_UPDATE' }), 100);
  await batches(a, c, MessengerBatch, { ...env, camel: true }, camel);
  a.complete(MessengerClient.prototype);
};
