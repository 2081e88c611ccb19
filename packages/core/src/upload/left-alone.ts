/** Names of files that programs leave beside the images that they copy. */
const leftovers = [
  /^\.DS_Store$|^\._/, // macOS, and its resource forks on other file systems
  /^Thumbs\.db$|^desktop\.ini$/i, // Windows
  /^~\$/, // an office program's lock
  /^\.(git)?keep$|^_SUCCESS$|_\$folder\$$/, // placeholders of folders, and what Hadoop writes
  /\.partial$|\.crdownload$|\.part$/, // a copy or download that is still under way
];

/**
 * Whether an object is no image that anybody meant to upload: a folder's marker, whose key ends in a slash, or a file that a
 * desktop or a copying program leaves about. Such an object has no result. An empty `cat.png` is not among them.
 */
export function isLeftAlone(key: string): boolean {
  const folders = key.split("/");
  const name = folders.pop() ?? "";
  return name === "" || folders.includes("__MACOSX") || leftovers.some((leftover) => leftover.test(name));
}
