package io.sirocco.spark.store;

import io.sirocco.checkpoint.ByteCount;
import io.sirocco.checkpoint.ModelException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes room in the cache: of those that nobody uses, the models not used for longest go first.
 *
 * @param folder of the cache
 * @param settings of the cache
 */
record Room(CacheFolder folder, CacheSettings settings) {
  private static final Logger LOG = LoggerFactory.getLogger(Room.class);

  /**
   * Something that can be removed while its lock is free.
   *
   * @param lock held by those who need it
   * @param bytes of its files
   * @param used when, in milliseconds since 1970
   */
  private record Evictable(Path place, Path lock, long bytes, long used) {}

  /**
   * Reserves what a copy still needs; the caller holds its locks.
   *
   * @throws ModelException if there is not enough room, also without what may be removed
   */
  void reserve(PartialCopy copy, String id) throws IOException {
    long whole = copy.manifest().bytes();
    if (whole > settings.maxSize()) {
      throw new ModelException(
          copy.manifest().source(),
          "has %s, but %s allows %s for all models together"
              .formatted(bytes(whole), CacheSettings.MAX_SIZE, bytes(settings.maxSize())));
    }
    HostLock room = HostLock.exclusive(folder.roomLock(), () -> {});
    try {
      folder.emptyTrash();
      long missing = whole - PartialCopy.journaledBytes(copy.folder());
      List<Evictable> evictable = evictable(id);
      while (!fits(id, whole, missing)) {
        if (evictable.isEmpty()) {
          throw new ModelException(copy.manifest().source(), shortage(id, whole, missing));
        }
        evict(evictable.remove(0));
      }
      copy.reserve();
    } finally {
      room.close();
    }
  }

  private boolean fits(String id, long whole, long missing) throws IOException {
    return missing <= free(id) && whole <= settings.maxSize() - others(id);
  }

  private String shortage(String id, long whole, long missing) throws IOException {
    return missing > free(id)
        ? "needs %s more in %s, where %s are free, also without the copies that nobody uses; make room there, or set %s to a larger disk"
            .formatted(bytes(missing), folder.root(), bytes(free(id)), CacheSettings.DIR)
        : "has %s, but %s allows %s, of which models in use take %s"
            .formatted(
                bytes(whole), CacheSettings.MAX_SIZE, bytes(settings.maxSize()), bytes(others(id)));
  }

  /** Bytes of the disk that no other download is going to take. */
  private long free(String id) throws IOException {
    long promised = 0;
    for (String other : folder.partials()) {
      if (!other.equals(id)) {
        Path place = folder.partial(other);
        Optional<HostLock> idle = HostLock.tryExclusive(folder.fetchLock(other));
        if (idle.isEmpty()) {
          promised += size(place) - PartialCopy.journaledBytes(place);
        }
        idle.ifPresent(HostLock::close);
      }
    }
    return Files.getFileStore(folder.root()).getUsableSpace() - promised;
  }

  /** Bytes that all other models of the cache have. */
  private long others(String id) throws IOException {
    long sum = 0;
    for (String other : folder.models()) {
      sum += other.equals(id) ? 0 : size(folder.model(other));
    }
    for (String other : folder.partials()) {
      sum += other.equals(id) ? 0 : size(folder.partial(other));
    }
    return sum;
  }

  private static long size(Path place) {
    return CopyRecord.read(place).map(CopyRecord::bytes).orElse(0L);
  }

  /** In the order in which they go. */
  private List<Evictable> evictable(String id) throws IOException {
    List<Evictable> found = new ArrayList<>();
    for (String other : folder.partials()) {
      if (!other.equals(id)) {
        evictable(folder.partial(other), folder.fetchLock(other)).ifPresent(found::add);
      }
    }
    List<Evictable> models = new ArrayList<>();
    for (String other : folder.models()) {
      if (!other.equals(id)) {
        evictable(folder.model(other), folder.useLock(other)).ifPresent(models::add);
      }
    }
    models.sort(Comparator.comparing(Evictable::used));
    found.addAll(models);
    return found;
  }

  /** Empty if it has gone meanwhile: another process has removed it, or made a model of it. */
  private static Optional<Evictable> evictable(Path place, Path lock) throws IOException {
    try {
      long used = Files.getLastModifiedTime(place).toMillis();
      return Optional.of(new Evictable(place, lock, size(place), used));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    }
  }

  private void evict(Evictable candidate) throws IOException {
    Optional<HostLock> unused = HostLock.tryExclusive(candidate.lock());
    if (unused.isPresent()) {
      try {
        folder.remove(candidate.place());
        LOG.info("removed {} with {} bytes to make room", candidate.place(), candidate.bytes());
      } finally {
        unused.get().close();
      }
    }
  }

  static String bytes(long bytes) {
    return ByteCount.shown(bytes) + " (" + bytes + " bytes)";
  }
}
