package io.sirocco.spark.store;

import io.sirocco.checkpoint.ByteCount;
import io.sirocco.checkpoint.ModelException;
import io.sirocco.prepared.HostLock;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes room in the cache: of those that nobody uses, downloads and prepared weights that were
 * given up half-way go first, then the models and prepared weights not used for longest.
 *
 * @param folder of the cache
 * @param settings of the cache
 */
record Room(CacheFolder folder, CacheSettings settings) {
  /** Longer than anybody looks whether an entry is in use. */
  private static final long PAUSE_MILLIS = 250;

  private static final Logger LOG = LoggerFactory.getLogger(Room.class);

  /** Makes known to all what room has been found for. */
  @FunctionalInterface
  interface Reservation {
    void make() throws IOException;
  }

  /**
   * Reserves what is still missing of it; the caller holds its locks.
   *
   * @throws ModelException if there is not enough room, also without what may be removed
   */
  void reserve(Wanted wanted, Reservation reservation) throws IOException {
    if (wanted.bytes() > settings.maxSize()) {
      throw new ModelException(
          wanted.name(),
          "%s %s, but %s allows %s for all models together"
              .formatted(
                  wanted.verb(),
                  bytes(wanted.bytes()),
                  CacheSettings.MAX_SIZE,
                  bytes(settings.maxSize())));
    }
    HostLock room = HostLock.exclusive(folder.roomLock(), () -> {});
    try {
      folder.emptyTrash();
      List<CacheEntry> entries = CacheEntry.in(folder);
      Evictions evictions = new Evictions(folder, evictable(wanted, entries));
      while (!fits(wanted, entries)) {
        if (!evictions.next()) {
          throw new ModelException(wanted.name(), shortage(wanted, entries));
        }
        entries = CacheEntry.in(folder);
      }
      reservation.make();
    } finally {
      room.close();
    }
  }

  /** Whether {@link #reserve} would find room now; nothing is removed. */
  boolean has(Wanted wanted) throws IOException {
    // Who asks takes locks for a moment: to others who ask, all would look used.
    HostLock room = HostLock.exclusive(folder.roomLock(), () -> {});
    try {
      return hasLocked(wanted);
    } finally {
      room.close();
    }
  }

  private boolean hasLocked(Wanted wanted) throws IOException {
    List<CacheEntry> needed = new ArrayList<>();
    long removable = 0;
    for (CacheEntry entry : CacheEntry.in(folder)) {
      if (wanted.owns(entry) || !entry.isUnused()) {
        needed.add(entry);
      } else {
        removable += entry.here();
      }
    }
    return wanted.bytes() <= settings.maxSize() - others(wanted, needed)
        && missing(wanted, needed) <= free(wanted, needed) + removable;
  }

  private boolean fits(Wanted wanted, List<CacheEntry> entries) throws IOException {
    return missing(wanted, entries) <= free(wanted, entries)
        && wanted.bytes() <= settings.maxSize() - others(wanted, entries);
  }

  private String shortage(Wanted wanted, List<CacheEntry> entries) throws IOException {
    return missing(wanted, entries) > free(wanted, entries)
        ? "%s more must find room in %s, where %s are free, also without the copies that nobody uses; make room there, or set %s to a larger disk"
            .formatted(
                bytes(missing(wanted, entries)),
                folder.root(),
                bytes(free(wanted, entries)),
                CacheSettings.DIR)
        : "%s %s, but %s allows %s, of which models in use take %s, with their prepared weights"
            .formatted(
                wanted.verb(),
                bytes(wanted.bytes()),
                CacheSettings.MAX_SIZE,
                bytes(settings.maxSize()),
                bytes(others(wanted, entries)));
  }

  /** Bytes of it that are not here. */
  private static long missing(Wanted wanted, List<CacheEntry> entries) {
    long here = entries.stream().filter(wanted::owns).mapToLong(CacheEntry::here).sum();
    return wanted.bytes() - here;
  }

  /** Bytes of the disk that nobody else at work is going to take. */
  private long free(Wanted wanted, List<CacheEntry> entries) throws IOException {
    long promised =
        entries.stream()
            .filter(entry -> !wanted.owns(entry) && entry.missing() > 0 && !entry.isUnused())
            .mapToLong(CacheEntry::missing)
            .sum();
    return Files.getFileStore(folder.root()).getUsableSpace() - promised;
  }

  /** Bytes that all others in the cache have, or are going to have. */
  private static long others(Wanted wanted, List<CacheEntry> entries) {
    return entries.stream().filter(entry -> !wanted.owns(entry)).mapToLong(CacheEntry::bytes).sum();
  }

  /** In the order in which they go. */
  private static List<CacheEntry> evictable(Wanted wanted, List<CacheEntry> entries) {
    List<CacheEntry> found = new ArrayList<>(entries);
    found.removeIf(wanted::owns);
    found.sort(
        Comparator.comparing((CacheEntry entry) -> !entry.isHalf())
            .thenComparing(CacheEntry::used));
    return found;
  }

  /** One after the other; those that somebody uses stay. */
  private static final class Evictions {
    private final CacheFolder folder;
    private final Deque<CacheEntry> candidates;
    private final Deque<CacheEntry> used = new ArrayDeque<>();
    private boolean paused;

    Evictions(CacheFolder folder, List<CacheEntry> candidates) {
      this.folder = folder;
      this.candidates = new ArrayDeque<>(candidates);
    }

    /** Whether there was one more to go. */
    boolean next() throws IOException {
      while (!candidates.isEmpty() || (!paused && !used.isEmpty())) {
        if (candidates.isEmpty()) {
          pause();
          candidates.addAll(used);
        }
        CacheEntry candidate = candidates.remove();
        if (evict(candidate)) {
          return true;
        }
        used.add(candidate);
      }
      return false;
    }

    /** Some may have looked used only because somebody asked whether they are. */
    private void pause() {
      paused = true;
      try {
        Thread.sleep(PAUSE_MILLIS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException("interrupted while room was made in " + folder.root(), e);
      }
    }

    private boolean evict(CacheEntry candidate) throws IOException {
      Optional<HostLock> unused = candidate.unused();
      if (unused.isEmpty()) {
        return false;
      }
      try {
        folder.remove(candidate.place());
        LOG.info("removed {} with {} bytes to make room", candidate.place(), candidate.here());
        return true;
      } finally {
        unused.get().close();
      }
    }
  }

  static String bytes(long bytes) {
    return ByteCount.shown(bytes) + " (" + bytes + " bytes)";
  }
}
