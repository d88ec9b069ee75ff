import {StrictMode, useEffect, useState} from 'react';
import {createRoot} from 'react-dom/client';
import * as tf from '@tensorflow/tfjs';
import * as normalization from 'tfjs-normalization';
import 'tfjs-normalization/patch';
import {exercise} from '../shared/exercise.mjs';

function Training() {
  const [outcome, setOutcome] = useState();
  useEffect(() => {
    const target = {save: 'indexeddb://model'};
    exercise(tf, normalization, target).then(setOutcome, setOutcome);
  }, []);
  useEffect(() => {
    if (outcome instanceof Error) throw outcome;
    const shown = document.querySelector('output')?.textContent;
    if (outcome) globalThis.outcome = {...outcome, shown: shown !== ''};
  }, [outcome]);
  return <output>{outcome && `loss ${outcome.loss}`}</output>;
}

createRoot(document.getElementById('root')).render(
  <StrictMode>
    <Training />
  </StrictMode>,
);
