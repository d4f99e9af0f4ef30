package io.sirocco.spark.store;

import io.sirocco.prepared.PreparedPlace;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;

/**
 * What room is wanted for.
 *
 * @param name for messages
 * @param verb that says of the name how many bytes there are
 * @param bytes of it in the cache when it is complete
 * @param own the places in the cache that are a part of it
 */
record Wanted(String name, String verb, long bytes, Set<Path> own) {
  Wanted {
    own = Set.copyOf(own);
  }

  static Wanted by(ModelManifest manifest, String id, CacheFolder folder) {
    return new Wanted(
        manifest.source(), "has", manifest.bytes(), Set.of(folder.model(id), folder.partial(id)));
  }

  static Wanted by(PreparedPlace place, long bytes) {
    return new Wanted(
        "prepared weights in " + place.folder(), "take", bytes, Set.of(place.folder()));
  }

  /** With what it cannot do without. */
  Wanted with(Wanted other) {
    Set<Path> both = new HashSet<>(own);
    both.addAll(other.own);
    return new Wanted(name, verb, Math.addExact(bytes, other.bytes), both);
  }

  boolean owns(CacheEntry entry) {
    return own.contains(entry.place());
  }
}
