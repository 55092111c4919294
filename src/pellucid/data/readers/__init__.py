"""From files or arrays to a `Source`: records that are named and labelled, but not decoded. One file a layout."""
