package io.sirocco.spark.store;

import io.sirocco.checkpoint.ModelException;
import io.sirocco.prepared.HostLock;
import io.sirocco.prepared.PreparedPlace;
import io.sirocco.prepared.PrivateFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Something that takes room in the cache, and can be removed while its lock is free.
 *
 * @param place its folder
 * @param lock held by those who need it
 * @param bytes that it has when it is complete
 * @param here those of them that are there
 * @param used when, in milliseconds since 1970
 */
record CacheEntry(Kind kind, Path place, Path lock, long bytes, long here, long used) {
  private static final Logger LOG = LoggerFactory.getLogger(CacheEntry.class);

  /** Of what it is. */
  enum Kind {
    /** A copy on its way. */
    PARTIAL,
    /** A complete copy of a model. */
    MODEL,
    /** A model's prepared weights, complete or not. */
    PREPARED
  }

  /** All that is in the cache. */
  static List<CacheEntry> in(CacheFolder folder) throws IOException {
    List<CacheEntry> entries = new ArrayList<>();
    for (String id : folder.partials()) {
      Path place = folder.partial(id);
      long here = PartialCopy.journaledBytes(place);
      add(entries, Kind.PARTIAL, place, folder.fetchLock(id), recorded(place), here);
    }
    for (String id : folder.models()) {
      Path place = folder.model(id);
      long bytes = recorded(place);
      add(entries, Kind.MODEL, place, folder.useLock(id), bytes, bytes);
    }
    for (PreparedPlace prepared : folder.preparedPlaces()) {
      long here = prepared.bytes();
      long bytes = Math.max(here, prepared.reserved());
      add(entries, Kind.PREPARED, prepared.folder(), prepared.useLock(), bytes, here);
    }
    return entries;
  }

  private static long recorded(Path place) {
    return CopyRecord.read(place).map(CopyRecord::bytes).orElse(0L);
  }

  /** Not if it has gone meanwhile: another process has removed it, or made a model of it. */
  private static void add(
      List<CacheEntry> entries, Kind kind, Path place, Path lock, long bytes, long here)
      throws IOException {
    try {
      long used = Files.getLastModifiedTime(place).toMillis();
      entries.add(new CacheEntry(kind, place, lock, bytes, here, used));
    } catch (NoSuchFileException e) {
      // Nothing that takes room.
    }
  }

  /** Bytes that are going to be there, if it is not given up. */
  long missing() {
    return Math.max(0, bytes - here);
  }

  /** Whether it is given up half-way, if nobody uses it. */
  boolean isHalf() {
    return kind == Kind.PARTIAL || missing() > 0;
  }

  /** Its lock, while nobody needs it; empty also if it is another user's. */
  Optional<HostLock> unused() {
    try {
      if (lock.getParent() != null) {
        PrivateFolder.make(lock.getParent()); // Former versions have made none.
      }
      return HostLock.tryExclusive(lock);
    } catch (IOException | ModelException e) {
      LOG.debug("{} cannot be removed", place, e);
      return Optional.empty();
    }
  }

  boolean isUnused() {
    Optional<HostLock> idle = unused();
    idle.ifPresent(HostLock::close);
    return idle.isPresent();
  }
}
