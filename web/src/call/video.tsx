import type { VideoTrack } from 'livekit-client';
import { useEffect, useRef, useState } from 'preact/hooks';
import { mayFill } from './grid';

interface Props {
  track: VideoTrack;
  /** What a screen reader says about the picture. */
  label: string;
  /** A screen is always shown whole. */
  whole?: boolean;
  mirrored?: boolean;
}

/** One moving picture, cut at its edges to fill its place when little would be lost by that. */
export function Video({ track, label, whole = false, mirrored = false }: Props) {
  const element = useRef<HTMLVideoElement>(null);
  const [fill, setFill] = useState(true);
  useEffect(() => {
    const video = element.current;
    if (!video) return undefined;
    track.attach(video);
    const fit = () => {
      setFill(mayFill({ width: video.videoWidth, height: video.videoHeight }, video.getBoundingClientRect()));
    };
    // Phones turn, windows change: both the picture and its place may.
    const observer = new ResizeObserver(fit);
    observer.observe(video);
    video.addEventListener('resize', fit);
    return () => {
      observer.disconnect();
      video.removeEventListener('resize', fit);
      track.detach(video);
    };
  }, [track]);
  const look = `video ${whole || !fill ? 'whole' : ''} ${mirrored ? 'mirrored' : ''}`;
  return <video ref={element} class={look} autoPlay playsInline muted aria-label={label} />;
}
