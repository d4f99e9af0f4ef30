package io.sirocco.spark.store;

import io.sirocco.checkpoint.ModelException;
import io.sirocco.prepared.Keeping;
import io.sirocco.prepared.PreparedPlace;
import io.sirocco.prepared.PreparedRoom;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.Files;
import java.util.List;

/** Room for prepared weights, which share the cache, and its limit, with the copies of models. */
public final class PreparedCache implements PreparedRoom {
  private final CacheSettings settings;
  private final List<ModelManifest> copies;

  PreparedCache(CacheSettings settings) {
    this(settings, List.of());
  }

  private PreparedCache(CacheSettings settings, List<ModelManifest> copies) {
    this.settings = settings;
    this.copies = List.copyOf(copies);
  }

  /**
   * How the executor in this JVM keeps prepared weights.
   *
   * @throws ModelException if a setting of the cache has a value that makes no sense
   */
  public static Keeping keepingHere() {
    return keepingHere(List.of());
  }

  /**
   * As {@link #keepingHere()}, for planning with models that are not here: there is room for
   * prepared weights only where there is room for the copies as well.
   */
  public static Keeping keepingHere(List<ModelManifest> copies) {
    return CacheSettings.preparedHere().isEmpty()
        ? Keeping.PLAIN
        : keeping(CacheSettings.here(), copies);
  }

  static Keeping keeping(CacheSettings settings) {
    return keeping(settings, List.of());
  }

  static Keeping keeping(CacheSettings settings, List<ModelManifest> copies) {
    Keeping.Check check =
        switch (settings.check()) {
          case SIZES -> Keeping.Check.SIZES;
          case CHECKSUMS -> Keeping.Check.CHECKSUMS;
        };
    return new Keeping(check, new PreparedCache(settings, copies));
  }

  @Override
  public boolean has(PreparedPlace place, long bytes) throws IOException {
    if (!Files.exists(settings.folder())) {
      long all = copies.stream().mapToLong(ModelManifest::bytes).reduce(bytes, Math::addExact);
      return all <= settings.maxSize() && PreparedRoom.DISK.has(place, all);
    }
    CacheFolder folder = CacheFolder.open(settings.folder());
    folder.requirePrepared();
    Wanted wanted = Wanted.by(place, bytes);
    for (ModelManifest copy : copies) {
      wanted = wanted.with(Wanted.by(copy, copy.contentId(), folder));
    }
    return new Room(folder, settings).has(wanted);
  }

  @Override
  public void reserve(PreparedPlace place, long bytes) {
    try {
      CacheFolder folder = CacheFolder.open(settings.folder());
      folder.requirePrepared();
      new Room(folder, settings).reserve(Wanted.by(place, bytes), () -> place.reserve(bytes));
    } catch (ClosedByInterruptException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while room was made for " + place.folder(), e);
    } catch (IOException e) {
      throw new ModelException(
          place.folder().toString(), "no room could be made for prepared weights: " + e, e);
    }
  }
}
