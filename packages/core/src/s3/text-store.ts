/** Keeps JSON that is too large for a DynamoDB item (400 KB with all its attributes): answers, and requests that wait. */
export interface TextStore {
  put(key: string, text: string): Promise<void>;
  /** Throws when nothing has this key. */
  get(key: string): Promise<string>;
  remove(key: string): Promise<void>;
}
