import { type Document, isCollection, isMap, isScalar, type Node } from "yaml";

/** Where in the text a value stands, or its key where `key` is given, or else the nearest thing around it. */
export function locate(document: Document, path: readonly PropertyKey[], key?: string): number {
  for (let depth = path.length; depth >= 0; depth--) {
    const node = document.getIn(path.slice(0, depth), true) as Node | undefined | null;
    if (node === undefined || node === null) continue;
    const pair =
      key !== undefined && depth === path.length && isMap(node)
        ? node.items.find((item) => isScalar(item.key) && String(item.key.value) === key)
        : undefined;
    const offset = isScalar(pair?.key) ? pair.key.range?.[0] : node.range?.[0];
    if (offset !== undefined) return depth < path.length && isCollection(node) ? keyOffset(document, path.slice(0, depth), offset) : offset;
  }
  return 0;
}

/** A missing setting is reported at the name of what lacks it, which reads better than at its first entry. */
function keyOffset(document: Document, path: readonly PropertyKey[], otherwise: number): number {
  if (path.length === 0) return otherwise;
  const parent = document.getIn(path.slice(0, -1), true);
  const pair = isMap(parent) ? parent.items.find((item) => isScalar(item.key) && item.key.value === path.at(-1)) : undefined;
  return (isScalar(pair?.key) ? pair.key.range?.[0] : undefined) ?? otherwise;
}
