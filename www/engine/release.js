// @ts-check
// Which release this file belongs to: the build puts the release's id here. Page and worker compare
// theirs, so that they never work together when a host has served two releases.
export const RELEASE = 'source';
