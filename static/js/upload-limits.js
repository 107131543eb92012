// What is wrong with files before they are sent, in the words of the page. The server decides.
import { said } from "./site.js";

const MEBIBYTE = 2 ** 20;
const SENDABLE = /^(image\/.*|application\/octet-stream|)$/; // a browser may not know HEIC

export function shownSize(bytes) {
  const megabytes = bytes / MEBIBYTE;
  return megabytes < 1 ? `${Math.ceil(bytes / 1024)} KB` : `${megabytes.toFixed(1)} MB`;
}

// Returns a sentence, or nothing. `entries`: what was chosen before.
export function wrongWith(file, entries, words) {
  const isSame = (one) => one.name === file.name && one.size === file.size && one.lastModified === file.lastModified;
  if (!SENDABLE.test(file.type)) return words.noImage;
  if (file.size > Number(words.maxMb) * MEBIBYTE) return said(words.tooLarge, { size: shownSize(file.size) });
  if (!file.size) return words.empty;
  return entries.some((other) => !other.problem && isSame(other.file)) ? words.twice : "";
}

export function tooMuch(files, words) {
  const total = files.reduce((sum, file) => sum + file.size, 0), left = Number(words.roomLeft);
  if (!files.length) return words.none;
  if (files.length > Number(words.mostQueued)) return said(words.tooMany, { count: files.length });
  if (!words.roomLeft || total <= left) return "";
  return said(words.noRoom, { left: shownSize(left), size: shownSize(total) });
}
