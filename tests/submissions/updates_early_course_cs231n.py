"""Of the course's first years: x for w, and a t that begins at 1 and counts after its use."""

import numpy as np


def sgd_momentum(w, dw, config=None):
  if config is None: config = {}
  config.setdefault('learning_rate', 1e-2)
  config.setdefault('momentum', 0.9)
  v = config.get('velocity', np.zeros_like(w))

  next_w = w
  v = config['momentum']*v - config['learning_rate']*dw
  next_w += v

  config['velocity'] = v
  return next_w, config


def adam(x, dx, config=None):
  if config is None: config = {}
  config.setdefault('learning_rate', 1e-3)
  config.setdefault('beta1', 0.9)
  config.setdefault('beta2', 0.999)
  config.setdefault('epsilon', 1e-8)
  config.setdefault('m', np.zeros_like(x))
  config.setdefault('v', np.zeros_like(x))
  config.setdefault('t', 1)

  beta_1, beta_2, t = config['beta1'], config['beta2'], config['t']
  config['m'] = beta_1*config['m'] + (1-beta_1)*dx
  config['v'] = beta_2*config['v'] + (1-beta_2)*(dx**2)
  m_hat = config['m']/(1-beta_1**t)
  v_hat = config['v']/(1-beta_2**t)
  next_x = x - config['learning_rate']*m_hat/(np.sqrt(v_hat)+config['epsilon'])
  config['t'] = t + 1
  return next_x, config
