/** SST names what it makes after the component, with the kind appended: `LedgerTable` is `Ledger`'s. */
export function component(name: string, kind: string) {
  return name.endsWith(kind) ? name.slice(0, -kind.length) : name;
}
